/** What runc 1.1.5 does differently, or not at all. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { withResources } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('exec', () => {
  it('--process applies umask and the soft limit of open files', async () => {
    const { id } = await t.running()
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]
    const path = t.processFile({ user: { uid: 0, gid: 0, umask: 0o027 }, args: ['/probe'], env: [], cwd: '/', rlimits })
    const report = parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
    expect(report.umask).toBe('0027')
    expect(report.rlimits.RLIMIT_NOFILE).toEqual(['100', '200'])
  })

  it.each(['4294967296', '99999999999999999999', '0x0', ' 0', '0:', '0:4294967296', '1.5', '+1'])(
    'refuses --user %j',
    async (user) => {
      const { id } = await t.running()
      const result = await t.runtime(['exec', `--user=${user}`, id, '/probe'])
      expect(result).toMatchObject({ exitCode: 255, stdout: '' })
      expect(result.stderr).toMatch(/user/)
    },
  )

  it('has no inheritable capability that the spec does not list', async () => {
    const { id } = await t.running({ spec: (spec) => delete spec.process.capabilities?.inheritable as never })
    expect((await t.probeExec(id)).capabilities.inheritable).toBe('0')
  })

  it.each(Array.from({ length: 18 }, (_, index) => index + 3))(
    'cannot use cwd /proc/self/fd/%i (CVE-2024-21626)',
    async (fd) => {
      const { id } = await t.running()
      const result = await t.runtime(['exec', '--cwd', `/proc/self/fd/${fd}`, id, 'ls', '.'], {
        through: [program('launch'), '--fds', '--'],
      })
      expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    },
  )

  it('the program inside is never the runtime: init while parked and exec before its execve (CVE-2019-5736)', async () => {
    const { id, pid } = await t.create()
    const mapped = t
      .read(`/proc/${pid}/maps`)
      .split('\n')
      .flatMap((line) => line.split(/ +/)[5] ?? [])
    expect(mapped.filter((file) => file.startsWith('/') && file !== '/init' && !file.startsWith('/memfd:'))).toEqual([])
    await t.ok(['start', id])
    const running = await t.running()
    // A "shell" that is the entering program itself: with the runtime as that program it would print the runtime's version.
    writeFileSync(join(running.bundle.rootfs, 'bin/again'), '#!/proc/self/exe --version\n', { mode: 0o755 })
    const again = await t.runtime(['exec', running.id, '/bin/again'], { timeoutMs: 10_000 })
    expect(again.stdout).not.toMatch(/version/)
  })

  it('into a directory that is missing says so without a system call', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--cwd', '/no/such', id, 'pwd'])
    expect(result.exitCode).toBe(255)
    const reason = 'no such file or directory: give a directory that the container has'
    expect(messageOf(result)).toBe(`open process.cwd /no/such: ${reason}`)
  })

  it('with a --cap that the kernel does not have warns of it', async () => {
    const { id } = await t.running()
    const result = await t.ok(['exec', '--cap', 'CAP_BOGUS', '--cap', 'CAP_SYS_PTRACE', id, '/probe'])
    const effective = Number.parseInt(parseProbe(result.stdout).capabilities.effective, 16)
    expect(effective & Number.parseInt(capabilityMask('CAP_SYS_PTRACE'), 16)).not.toBe(0)
    expect(result.stderr).toContain('cannot be granted and left out: CAP_BOGUS (no such capability)')
  })
})

describe('process.json', () => {
  async function probeProcess(id: string, fields: object): Promise<ProbeReport> {
    const document = { user: { uid: 1000, gid: 1000 }, args: ['/probe'], env: [], cwd: '/', ...fields }
    const path = t.processFile(document)
    return parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
  }

  it('has an oomScoreAdj of its own, lower than that of the container', async () => {
    const { id } = await t.running({ process: { oomScoreAdj: 500 } })
    expect((await probeProcess(id, { oomScoreAdj: 400 })).oomScoreAdj).toBe('400\n')
  })

  it('without scheduler, ioPriority and execCPUAffinity has those of the container', async () => {
    const process = {
      scheduler: { policy: 'SCHED_BATCH', nice: 3 },
      ioPriority: { class: 'IOPRIO_CLASS_IDLE' },
      execCPUAffinity: { final: '0' },
    }
    const { id } = await t.running({ process })
    const report = await probeProcess(id, {})
    expect(report).toMatchObject({ scheduler: { policy: 3, nice: 3 }, ioPriority: { class: 3 }, cpus: [0] })
  })

  it('without a umask has that of the container, and its own otherwise', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 0, umask: 0o27 } } })
    expect((await probeProcess(id, {})).umask).toBe('0027')
    expect((await probeProcess(id, { user: { uid: 0, gid: 0, umask: 0o77 } })).umask).toBe('0077')
  })
})

describe('a container that has as many processes as it may', () => {
  it.each([[[]], [['--detach']]])('exec %j says what to raise', async (flags: string[]) => {
    const { id } = await t.running({ spec: withResources({ pids: { limit: 1 } }) })
    const result = await t.runtime(['exec', ...flags, id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(
      /^fork\b.*: resource temporarily unavailable: allow more processes \(pids\.max of the cgroup, ulimit -u\)$/,
    )
  })
})

describe('labels that the host cannot apply', () => {
  it.each([
    ['--apparmor', 'this host has no AppArmor'],
    ['--process-label', 'this host has no SELinux'],
  ])('exec %s is refused, and nothing runs', async (flag, text) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', flag, 'some', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toContain(text)
  })
})
