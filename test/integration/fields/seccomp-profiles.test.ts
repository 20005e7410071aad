/**
 * The profiles that the callers of runtimes apply unless they are told otherwise (test/fixtures/seccomp), on calls that
 * are really made (test/fixtures/programs/syscall.c) and on every number that a call can have (verdicts.c).
 */
import { copyFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import containerd from '../../fixtures/seccomp/containerd.json' with { type: 'json' }
import docker from '../../fixtures/seccomp/docker.json' with { type: 'json' }
import podman from '../../fixtures/seccomp/podman.json' with { type: 'json' }
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { type Profile, verdictOn, verdicts, verdictsOfExec, verdictsOfRunc } from '../../support/verdicts.ts'

// The profiles are those of x86-64.
requires('root', 'x64')
const t = useContainers()

const [EPERM, ENOSYS] = [1, 38]

/** Name or number, and arguments with which nothing happens when the call is made. */
const refusedByAll =
  'acct,-1 bpf,-1 clock_settime,-1,-1 delete_module,-1 init_module,-1,-1 ioperm,-1,-1 iopl,9 kexec_load,-1,-1,-1,-1 open_by_handle_at,-1,-1,-1 perf_event_open,-1 quotactl,-1,-1 settimeofday,-1 swapoff,-1 swapon,-1 userfaultfd,-1'.split(
    ' ',
  )
const namespacesAndMounts =
  'clone,0x10000011 fsopen,-1 mount,-1,-1,-1 move_mount,-1,-1,-1,-1,-1 open_tree,-1,-1,-1 pivot_root,-1,-1 setns,-1,0 syslog,99 umount2,-1 unshare,0x10000000'.split(
    ' ',
  )
const keys = ['add_key,-1', 'keyctl,0,-1,0', 'request_key,-1']
const rest =
  'clone,0x11 clone3,0,0 getppid lseek,-1 personality,0 personality,8 personality,0x40000 personality,0xffffffff process_vm_readv,-1,-1,-1,-1,-1,-1 ptrace,-1 reboot,0,0,0 socket,1,1 socket,38,5 socket,40,1 9999'.split(
    ' ',
  )
const calls = [...refusedByAll, ...namespacesAndMounts, ...keys, ...rest]

interface Case {
  readonly profile: Profile
  /** By errno; the other calls are made. */
  readonly refused: Readonly<Record<number, readonly string[]>>
}

const strict = [...refusedByAll, ...namespacesAndMounts, ...keys, 'personality,0x40000', 'reboot,0,0,0']
const cases: Readonly<Record<string, Case>> = {
  docker: {
    profile: docker,
    refused: { [EPERM]: [...strict, 'socket,38,5', 'socket,40,1'], [ENOSYS]: ['clone3,0,0'] },
  },
  // With its default errno, ENOSYS, for what it does not name.
  podman: {
    profile: podman,
    refused: { [EPERM]: refusedByAll, [ENOSYS]: ['add_key,-1', 'personality,0x40000', 'request_key,-1'] },
  },
  containerd: {
    profile: containerd,
    refused: { [EPERM]: [...strict, 'process_vm_readv,-1,-1,-1,-1,-1,-1'], [ENOSYS]: ['clone3,0,0'] },
  },
}
const names = Object.keys(cases)
const caseOf = (name: string): Case => cases[name] as Case

/** With these none of the calls is refused by anything but a profile. */
const capabilities =
  'DAC_READ_SEARCH SYSLOG SYS_ADMIN SYS_BOOT SYS_MODULE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_TIME'.split(' ')

/** The errno of each call, 0 of those that succeed. */
async function outcomes(profile: Profile | undefined): Promise<Record<string, number>> {
  const all = capabilities.map((name) => `CAP_${name}`)
  const bundle = await t.bundle({
    args: ['/syscall', '--each', ...calls],
    process: { capabilities: { bounding: all, effective: all, permitted: all } },
    spec: (spec) => {
      if (profile !== undefined) spec.linux.seccomp = profile
      else delete spec.linux.seccomp
    },
  })
  copyFileSync(program('syscall'), `${bundle.rootfs}/syscall`)
  const { exitCode, stdout, stderr } = await t.run(bundle)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
  ) as Record<string, number>
}

describe.each(names)('the default profile of %s', (name) => {
  const { profile, refused } = caseOf(name)

  it('refuses calls that succeed, or fail otherwise, without it, and lets the others be', async () => {
    const without = await outcomes(undefined)
    const expected = { ...without }
    for (const [errno, calls] of Object.entries(refused))
      for (const call of calls) {
        expect(without[call], call).not.toBe(Number(errno))
        expected[call] = Number(errno)
      }
    expect(await outcomes(profile)).toEqual(expected)
  })

  it('holds for numbers, arguments and architectures', async () => {
    const text = await verdicts(t, profile)
    const newer = name === 'podman' ? '38' : '1'
    // read, kexec_load, clone3, the one before and the ones after the newest of them.
    expect(verdictOn(text, 'x86_64', 0)).toBe('pass')
    expect(verdictOn(text, 'x86_64', 246)).toBe('1')
    expect(verdictOn(text, 'x86_64', 435)).toBe(name === 'podman' ? 'pass' : '38')
    expect(verdictOn(text, 'x86_64', 698)).toBe('38')
    // personality, with the value that no profile knows and one that each does.
    expect(verdictOn(text, 'x86_64', 135, '7,0,0,0,0,0')).toBe(newer)
    expect(verdictOn(text, 'x86_64', 135, '8,0,0,0,0,0')).toBe('pass')
    expect(verdictOn(text, 'x86_64', 135, '4294967304,0,0,0,0,0')).toBe(newer)
    // kexec_load and personality of i386 and x32.
    expect(verdictOn(text, 'x86', 283)).toBe('1')
    expect(verdictOn(text, 'x86', 136, '7,0,0,0,0,0')).toBe(newer)
    expect(verdictOn(text, 'x32', 528)).toBe('1')
    expect(verdictOn(text, 'x32', 698)).toBe('38')
  })
})

it('without a profile no call is refused', async () => {
  const text = await verdicts(t, undefined)
  for (const abi of ['x86_64', 'x86', 'x32'])
    for (const number of [0, 165, 246, 435, 698]) expect(verdictOn(text, abi, number)).toBe('pass')
})

it("Docker's lets processes be made, not namespaces, and sockets of the usual families", async () => {
  const text = await verdicts(t, docker)
  expect(verdictOn(text, 'x86_64', 56)).toBe('pass')
  expect(verdictOn(text, 'x86_64', 56, `${0x10000000},0,0,0,0,0`)).toBe('1')
  expect(verdictOn(text, 'x86_64', 41, '16,0,0,0,0,0')).toBe('pass')
  expect(verdictOn(text, 'x86_64', 41, '12,0,0,0,0,0')).toBe('1')
  expect(verdictOn(text, 'x86_64', 41, '40,0,0,0,0,0')).toBe('1')
})

it('holds for a process of exec as for the first one', async () => {
  expect(await verdictsOfExec(t, docker)).toBe(await verdicts(t, docker))
})

describe('beyond runc', () => {
  requires('own-runtime')

  it.each(names)('the default profile of %s says to every call what it says under runc', async (name) => {
    const { profile } = caseOf(name)
    expect(await verdicts(t, profile)).toBe(await verdictsOfRunc(t, profile))
  })

  /** What the program that asks needs itself. */
  const needed =
    'alarm clone close execve exit_group getppid ioctl kill mmap poll prctl sched_yield seccomp wait4 write brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlinkat getrandom mprotect fstat newfstatat read futex close_range chdir capget capset setuid setgid setgroups getdents64 openat fcntl rt_sigaction rt_sigprocmask rt_sigreturn nanosleep epoll_pwait epoll_ctl getpid gettid tgkill madvise munmap sigaltstack sched_getaffinity fstatfs lseek pread64 readlink statx getcwd umask dup3'.split(
      ' ',
    )
  const native = 'SCMP_ARCH_X86_64'
  const all = [native, 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
  const allowNeeded = { syscalls: [{ names: needed, action: 'SCMP_ACT_ALLOW' }] }
  const argument = (index: number, op: string, value: number): object => ({ index, op, value })

  // runc 1.1.5 has no ENOSYS for an architecture that the list leaves out; later ones have, as here.
  it.each<[string, object]>([
    ['no rule', { defaultAction: 'SCMP_ACT_ALLOW' }],
    ['no rule, three architectures', { defaultAction: 'SCMP_ACT_ALLOW', architectures: all }],
    ['one architecture', { defaultAction: 'SCMP_ACT_ERRNO', architectures: [native], ...allowNeeded }],
    ['two architectures', { defaultAction: 'SCMP_ACT_ERRNO', architectures: all.slice(0, 2), ...allowNeeded }],
    ['three architectures', { defaultAction: 'SCMP_ACT_ERRNO', architectures: all, ...allowNeeded }],
    ['errno 0', { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 0, architectures: all, ...allowNeeded }],
    ['ENOSYS', { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, architectures: all, ...allowNeeded }],
    ['SCMP_ACT_TRAP', { defaultAction: 'SCMP_ACT_TRAP', architectures: all, ...allowNeeded }],
    ['SCMP_ACT_KILL', { defaultAction: 'SCMP_ACT_KILL', architectures: all, ...allowNeeded }],
    ['SCMP_ACT_KILL_PROCESS', { defaultAction: 'SCMP_ACT_KILL_PROCESS', architectures: all, ...allowNeeded }],
    [
      'rules of arguments that meet',
      {
        defaultAction: 'SCMP_ACT_LOG',
        architectures: all,
        syscalls: [
          {
            names: ['personality', 'mount'],
            action: 'SCMP_ACT_ERRNO',
            args: [argument(0, 'SCMP_CMP_EQ', 5), argument(0, 'SCMP_CMP_EQ', 7)],
          },
          {
            names: ['personality'],
            action: 'SCMP_ACT_ERRNO',
            errnoRet: 9,
            args: [argument(1, 'SCMP_CMP_GT', 5), argument(0, 'SCMP_CMP_LE', 7)],
          },
          { names: ['personality'], action: 'SCMP_ACT_TRAP', args: [argument(2, 'SCMP_CMP_NE', 0)] },
        ],
      },
    ],
  ])('a profile with %s says to every call what it says under runc', async (_, profile) => {
    expect(await verdicts(t, profile as Profile)).toBe(await verdictsOfRunc(t, profile as Profile))
  })
})
