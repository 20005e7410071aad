/** Each test makes one system call (test/fixtures/programs/syscall.c) under a filter, and would have another outcome without it. */
import { copyFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

interface Filter {
  readonly defaultAction?: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly syscalls?: readonly object[]
}

/** What `syscall ARGS...` does; `numbers` replaces words of config.json by numbers that JavaScript does not have. */
async function under(filter: Filter, args: readonly string[], numbers: Readonly<Record<string, string>> = {}) {
  const bundle = await t.bundle({
    args: ['/syscall', ...args],
    spec: (spec) => {
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...filter }
    },
  })
  copyFileSync(program('syscall'), `${bundle.rootfs}/syscall`)
  const text = JSON.stringify(bundle.spec)
  bundle.writeConfig(Object.entries(numbers).reduce((json, [word, number]) => json.replace(`"${word}"`, number), text))
  const { exitCode, stdout, stderr } = await t.run(bundle)
  return { exitCode, stdout: stdout.trim(), stderr }
}

const rule = (action: string, more: object = {}): Filter => ({ syscalls: [{ names: ['getppid'], action, ...more }] })

/** What a static program and the last steps of a runtime need. */
const needed =
  'arch_prctl brk capget capset chdir clock_gettime close close_range dup3 epoll_ctl epoll_pwait execve execveat exit exit_group faccessat faccessat2 fcntl fstat fstatfs futex getcwd getdents64 getpid gettid getrandom ioctl lseek madvise mmap mprotect munmap nanosleep newfstatat openat openat2 prctl pread64 prlimit64 read readlink readlinkat rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list set_tid_address setgid setgroups setuid sigaltstack statx tgkill uname write'.split(
    ' ',
  )
const allowNeeded = { syscalls: [{ names: needed, action: 'SCMP_ACT_ALLOW' }] }

/** Of the process that a signal ended: 128 and SIGSYS. */
const killed = 128 + 31

describe('linux.seccomp.syscalls[].action', () => {
  it.each([
    ['SCMP_ACT_ALLOW', '0'],
    ['SCMP_ACT_LOG', '0'],
    ['SCMP_ACT_ERRNO', '-1 1'],
    ['SCMP_ACT_TRAP', 'SIGSYS 0'],
    // Nobody traces the process.
    ['SCMP_ACT_TRACE', '-1 38'],
  ])('%s', async (action, stdout) => {
    expect(await under(rule(action), ['getppid'])).toMatchObject({ exitCode: 0, stdout })
  })

  it.each(['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS'])('%s ends the process', async (action) => {
    expect(await under(rule(action), ['getppid'])).toMatchObject({ exitCode: killed, stdout: '' })
  })

  it.each(['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD'])('%s ends the thread alone', async (action) => {
    const result = await under(rule(action), ['--thread', 'getppid'])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'the process goes on' })
  })

  it('SCMP_ACT_KILL_PROCESS ends the threads beside it too', async () => {
    expect(await under(rule('SCMP_ACT_KILL_PROCESS'), ['--thread', 'getppid'])).toMatchObject({
      exitCode: killed,
      stdout: '',
    })
  })
})

describe('linux.seccomp.syscalls[]', () => {
  it('errnoRet is the errno', async () => {
    expect((await under(rule('SCMP_ACT_ERRNO', { errnoRet: 28 }), ['getppid'])).stdout).toBe('-1 28')
  })

  it('errnoRet 0 returns 0 without doing anything', async () => {
    const names = ['mkdirat']
    const result = await under({ syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 0 }] }, [
      'mkdirat',
      '999',
      '0',
    ])
    expect(result.stdout).toBe('0')
  })

  it('names that nobody knows are passed over', async () => {
    const names = ['no_such_call_1', 'getppid', 'no_such_call_2']
    expect((await under({ syscalls: [{ names, action: 'SCMP_ACT_ERRNO' }] }, ['getppid'])).stdout).toBe('-1 1')
  })

  it('other system calls are left to the default action', async () => {
    expect((await under(rule('SCMP_ACT_ERRNO'), ['lseek', '999', '0', '0'])).stdout).toBe('-1 9')
  })
})

/** Without a rule that matches it is EBADF, 9. */
const seek = (args: readonly object[]): Filter => ({
  syscalls: [{ names: ['lseek'], action: 'SCMP_ACT_ERRNO', errnoRet: 28, args }],
})

describe('linux.seccomp.syscalls[].args', () => {
  it.each([
    ['SCMP_CMP_EQ', { value: 5 }, ['5'], ['4', '6']],
    ['SCMP_CMP_NE', { value: 5 }, ['4', '6'], ['5']],
    ['SCMP_CMP_LT', { value: 5 }, ['4'], ['5', '6']],
    ['SCMP_CMP_LE', { value: 5 }, ['4', '5'], ['6']],
    ['SCMP_CMP_GE', { value: 5 }, ['5', '6'], ['4']],
    ['SCMP_CMP_GT', { value: 5 }, ['6'], ['5', '4']],
    ['SCMP_CMP_MASKED_EQ', { value: 12, valueTwo: 4 }, ['4', '7'], ['8', '12', '0']],
  ])('op %s', async (op, values, matching, others) => {
    for (const offset of matching)
      expect((await under(seek([{ index: 1, op, ...values }]), ['lseek', '999', offset])).stdout, offset).toBe('-1 28')
    for (const offset of others)
      expect((await under(seek([{ index: 1, op, ...values }]), ['lseek', '999', offset])).stdout, offset).toBe('-1 9')
  })

  it('index is the argument', async () => {
    const args = [{ index: 2, op: 'SCMP_CMP_EQ', value: 1 }]
    expect((await under(seek(args), ['lseek', '999', '0', '1'])).stdout).toBe('-1 28')
    expect((await under(seek(args), ['lseek', '999', '1', '0'])).stdout).toBe('-1 9')
  })

  it('all of them must hold', async () => {
    const args = [
      { index: 1, op: 'SCMP_CMP_EQ', value: 7 },
      { index: 2, op: 'SCMP_CMP_EQ', value: 1 },
    ]
    expect((await under(seek(args), ['lseek', '999', '7', '1'])).stdout).toBe('-1 28')
    expect((await under(seek(args), ['lseek', '999', '7', '0'])).stdout).toBe('-1 9')
    expect((await under(seek(args), ['lseek', '999', '6', '1'])).stdout).toBe('-1 9')
  })

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['18446744073709551615', '18446744073709549568'],
  ])('value %s is not %s', async (value, other) => {
    const filter = seek([{ index: 1, op: 'SCMP_CMP_EQ', value: 'VALUE' }])
    expect((await under(filter, ['lseek', '999', value], { VALUE: value })).stdout).toBe('-1 28')
    expect((await under(filter, ['lseek', '999', other], { VALUE: value })).stdout).toBe('-1 9')
  })

  it('valueTwo has all of its 64 bits', async () => {
    const filter = seek([{ index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 'VALUE', valueTwo: 'TWO' }])
    const numbers = { VALUE: '18446744073709551615', TWO: '9007199254740993' }
    expect((await under(filter, ['lseek', '999', '9007199254740993'], numbers)).stdout).toBe('-1 28')
    expect((await under(filter, ['lseek', '999', '9007199254740992'], numbers)).stdout).toBe('-1 9')
  })
})

describe('linux.seccomp.defaultAction', () => {
  it.each([
    [{ defaultAction: 'SCMP_ACT_ERRNO' }, { exitCode: 0, stdout: '-1 1' }],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 28 },
      { exitCode: 0, stdout: '-1 28' },
    ],
    [{ defaultAction: 'SCMP_ACT_TRAP' }, { exitCode: 0, stdout: 'SIGSYS 0' }],
    [{ defaultAction: 'SCMP_ACT_TRACE' }, { exitCode: 0, stdout: '-1 38' }],
    [{ defaultAction: 'SCMP_ACT_LOG' }, { exitCode: 0, stdout: '0' }],
    [{ defaultAction: 'SCMP_ACT_KILL' }, { exitCode: killed, stdout: '' }],
    [{ defaultAction: 'SCMP_ACT_KILL_PROCESS' }, { exitCode: killed, stdout: '' }],
  ])('%j', async (filter, outcome) => {
    expect(await under({ ...filter, ...allowNeeded }, ['getppid'])).toMatchObject(outcome)
  })

  it('a system call newer than those of the filter is one that does not exist', async () => {
    const filter = { defaultAction: 'SCMP_ACT_ERRNO', architectures: [native], ...allowNeeded }
    expect((await under(filter, ['9999'])).stdout).toBe('-1 38')
    // Older than the newest of them.
    expect((await under(filter, ['swapoff', '0'])).stdout).toBe('-1 1')
  })

  it('a system call newer than those of the filter is killed when the default is to kill, but for one that does not exist', async () => {
    const filter = { defaultAction: 'SCMP_ACT_KILL_PROCESS', architectures: [native], ...allowNeeded }
    expect(await under(filter, ['9999'])).toMatchObject({ exitCode: 0, stdout: '-1 38' })
    expect(await under(filter, ['swapoff', '0'])).toMatchObject({ exitCode: killed })
  })
})

const native = process.arch === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'

describe.runIf(process.arch === 'x64')('linux.seccomp.architectures', () => {
  /** i386: getpid is 20, getppid 64. */
  it('a program of an architecture that is not listed ends at its first system call', async () => {
    expect(await under({ architectures: [native] }, ['--i386', '20'])).toMatchObject({ exitCode: killed })
  })

  it('the rules hold in the numbers of every architecture that is', async () => {
    const architectures = [native, 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
    expect((await under({ architectures }, ['--i386', '64'])).stdout).toBe('0')
    expect((await under({ architectures, ...rule('SCMP_ACT_ERRNO') }, ['--i386', '64'])).stdout).toBe('-1 1')
    expect((await under({ architectures, ...rule('SCMP_ACT_ERRNO') }, ['--i386', '20'])).stdout).toBe('1')
  })

  it('so does what is newer than the filter', async () => {
    const architectures = [native, 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']
    const filter = { defaultAction: 'SCMP_ACT_ERRNO', architectures, ...allowNeeded }
    expect((await under(filter, ['--i386', '9999'])).stdout).toBe('-1 38')
    expect((await under(filter, ['--i386', '64'])).stdout).toBe('-1 1')
  })
})
