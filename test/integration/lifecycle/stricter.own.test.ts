import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, invoke } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

// What runc 1.1.5 does differently, or not at all.
requires('root', 'own-runtime')
const t = useContainers()

async function probe(id: string, flags: readonly string[] = [], options: InvokeOptions = {}): Promise<ProbeReport> {
  return parseProbe((await t.ok(['exec', ...flags, id, '/probe'], options)).stdout)
}

describe('signals that the caller blocks', () => {
  const through = [program('launch'), '--block-signals', '--ignore-signals', '--']

  it('are not blocked for init', async () => {
    const report = await t.probe({}, { through })
    expect([report.signalsBlocked, report.signalsIgnored]).toEqual([[], []])
  })

  it('are not blocked for exec', async () => {
    const { id } = await t.running()
    const report = await probe(id, [], { through })
    expect([report.signalsBlocked, report.signalsIgnored]).toEqual([[], []])
  })
})

describe('exec', () => {
  it('--process applies umask and the soft limit of open files', async () => {
    const { id } = await t.running()
    const path = join(t.hostDirectory(), 'process.json')
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]
    writeFileSync(
      path,
      JSON.stringify({ user: { uid: 0, gid: 0, umask: 0o027 }, args: ['/probe'], env: [], cwd: '/', rlimits }),
    )
    const report = parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
    expect(report.umask).toBe('0027')
    expect(report.rlimits.RLIMIT_NOFILE).toEqual(['100', '200'])
  })

  it.each(['', '4294967296', '99999999999999999999', '0x0', ' 0', '0:', '0:4294967296', '1.5', '+1'])(
    'refuses --user %j',
    async (user) => {
      const { id } = await t.running()
      const result = await t.runtime(['exec', `--user=${user}`, id, '/probe'])
      expect(result).toMatchObject({ exitCode: 255, stdout: '' })
      expect(result.stderr).toMatch(/user/)
    },
  )

  it("--tty has the size of the caller's terminal from the first instruction", async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--tty', id, '/probe'], {
      through: [program('on-pty'), '31', '117'],
      input: '',
    })
    expect(parseProbe(result.stdout).tty).toMatchObject({ rows: 31, columns: 117 })
  })

  it('has no inheritable capability that the spec does not list', async () => {
    const { id } = await t.running({ spec: (spec) => delete spec.process.capabilities?.inheritable as never })
    expect((await probe(id)).capabilities.inheritable).toBe('0')
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
})

describe('a capability that the runtime itself lacks', () => {
  // runc fails; config.md: "Runtimes SHOULD NOT fail".
  const through = ['setpriv', '--bounding-set=-sys_time', '--']
  const sets = ['CAP_KILL', 'CAP_SYS_TIME']
  const process = { capabilities: { bounding: sets, permitted: sets, effective: sets, inheritable: sets } }
  const log = () => join(t.hostDirectory(), 'log')

  it('is left out of the sets of create, with a warning that names it', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process })
    const path = log()
    const { stdout } = await t.ok(['--log', path, 'run', '--bundle', bundle.path, t.id()], { through })
    const mask = capabilityMask('KILL')
    expect(parseProbe(stdout).capabilities).toMatchObject({ bounding: mask, permitted: mask, inheritable: mask })
    expect(t.read(path)).toMatch(/level=warning msg=".*CAP_SYS_TIME \(the runtime lacks it\)/)
    const granted = parseProbe((await t.run(bundle)).stdout).capabilities
    expect(granted.bounding).toBe(capabilityMask('KILL', 'SYS_TIME'))
  })

  it('is left out of the sets of exec, and so is an unknown one of --process', async () => {
    const { id } = await t.running({ process })
    const path = log()
    const file = join(t.hostDirectory(), 'process.json')
    const capabilities = { bounding: [...sets, 'CAP_NOSUCH'], permitted: sets, effective: sets }
    writeFileSync(file, JSON.stringify({ user: { uid: 0, gid: 0 }, args: ['/probe'], env: [], cwd: '/', capabilities }))
    const { stdout } = await t.ok(['--log', path, 'exec', '--process', file, id], { through })
    expect(parseProbe(stdout).capabilities).toMatchObject({ bounding: capabilityMask('KILL') })
    expect(t.read(path)).toMatch(/level=warning msg=".*CAP_SYS_TIME .*CAP_NOSUCH \(no such capability\)/)
  })
})

describe('kill', () => {
  it('refuses an empty signal', async () => {
    const { id } = await t.running()
    expect(await t.runtime(['kill', id, ''])).toMatchObject({ exitCode: 1 })
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })

  it.each(['SIGRTMIN+3', 'RTMIN+3', 'rtmin+3'])('sends %s, the STOPSIGNAL of systemd images', async (signal) => {
    const container = await t.running({ args: ['/probe', '--signals'] })
    await t.ok(['kill', container.id, signal])
    await waitFor(() => container.result.output() === 'ready\n37\n')
  })

  it.each(['65', '-1', '1.5', 'SIGRTMIN+99', 'TERM\n'])('refuses the signal %j', async (signal) => {
    const { id } = await t.running()
    const result = await t.runtime(['kill', id, '--', signal])
    expect(result.exitCode).toBe(1)
    expect(await t.state(id)).toMatchObject({ status: 'running' })
  })
})

describe('output', () => {
  it('--version speaks of runtime-spec 1.3', async () => {
    expect((await invoke(['--version'])).stdout).toMatch(
      /^crio-lxc version \d+\.\d+\.\d+.*\n(commit: .+\n)?spec: 1\.3\.\d\n$/,
    )
  })

  it('an unknown command exits 1 and is named', async () => {
    const result = await invoke(['frobnicate'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/unknown command.*frobnicate/)
  })

  it.each(['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'list', 'spec', 'debug plan'])(
    '%s --help has an example',
    async (command) => {
      const { exitCode, stdout } = await invoke([...command.split(' '), '--help'])
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/Examples:/i)
    },
  )
})

describe('--log-file', () => {
  it('writes lines with the fields of the seed, and none before there is something to say', async () => {
    const { id } = await t.create()
    const path = join(t.hostDirectory(), 'log')
    await t.runtime(['--log-file', path, '--log-level', 'error', 'state', 't-missing'])
    await t.ok(['--log-file', path, '--log-level', 'error', 'state', id])
    const lines = t
      .read(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      l: 'error',
      cid: 't-missing',
      cmd: 'state',
      m: expect.stringContaining('does not exist'),
    })
    expect(lines[0]?.t).toMatch(/^\d{14}\.\d{3}$/)
  })
})

describe('feature gates', () => {
  it('--capabilities=false leaves the capabilities of the caller, the default applies the spec', async () => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const on = parseProbe((await t.ok(['run', '--bundle', bundle.path, t.id()])).stdout)
    const off = parseProbe((await t.ok(['--capabilities=false', 'run', '--bundle', bundle.path, t.id()])).stdout)
    expect(BigInt(`0x${off.capabilities.bounding}`)).toBeGreaterThan(BigInt(`0x${on.capabilities.bounding}`))
  })
})
