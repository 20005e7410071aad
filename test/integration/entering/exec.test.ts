import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { cgroupsOf, isAlive, namespaceOf, processStat } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, messageOf } from '../../support/runtime.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** `exec FLAGS ID /probe` and its report. */
async function probe(id: string, flags: readonly string[] = [], options: InvokeOptions = {}): Promise<ProbeReport> {
  return parseProbe((await t.ok(['exec', ...flags, id, '/probe'], options)).stdout)
}

/** Writes a process.json. */
function processFile(process: object): string {
  const path = join(t.hostDirectory(), 'process.json')
  writeFileSync(path, JSON.stringify(process))
  return path
}

describe('exec exit codes and stdio', () => {
  it.each([0, 1, 7, 126, 127, 200])('returns %i as the command does', async (code) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', id, 'sh', '-c', `exit ${code}`])
    expect(result).toMatchObject({ exitCode: code, stdout: '', stderr: '' })
  })

  it.each([
    ['KILL', 137],
    ['TERM', 143],
  ])('returns 128 + n when SIG%s ends the command', async (signal, code) => {
    const { id } = await t.running()
    expect(await t.runtime(['exec', id, 'sh', '-c', `kill -${signal} $$`])).toMatchObject({ exitCode: code })
  })

  it('connects stdout and stderr, apart', async () => {
    const { id } = await t.running()
    const { stdout, stderr } = await t.ok(['exec', id, 'sh', '-c', 'echo out; echo err >&2'])
    expect([stdout, stderr]).toEqual(['out\n', 'err\n'])
  })

  it('connects stdin to its end', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'wc', '-c'], { input: 'y'.repeat(300_000) })).stdout.trim()).toBe('300000')
  })

  it('passes a megabyte through unchanged', async () => {
    const { id } = await t.running()
    const input = Array.from({ length: 20_000 }, (_, line) => `line ${line} of the input, padded to be long`).join('\n')
    expect((await t.ok(['exec', id, 'cat'], { input })).stdout).toBe(input)
  })

  it('leaves the flags after the id to the command', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'echo', '--tty', '-e', 'x', '--user=1', '--', '-h'])).stdout).toBe(
      '--tty -e x --user=1 -- -h\n',
    )
  })

  it('takes arguments with spaces, newlines and nothing in them', async () => {
    const { id } = await t.running()
    const args = ['a b', 'line\nbreak', '', 'quote\'"', '\\', '$HOME', 'ünïcode']
    expect(parseProbe((await t.ok(['exec', id, '/probe', ...args])).stdout).argv).toEqual(['/probe', ...args])
  })

  it('runs twenty commands at once', async () => {
    const { id } = await t.running()
    const codes = Array.from({ length: 20 }, (_, code) => code)
    const results = await Promise.all(codes.map((code) => t.runtime(['exec', id, 'sh', '-c', `exit ${code}`])))
    expect(results.map(({ exitCode }) => exitCode)).toEqual(codes)
  })
})

describe('exec failures', () => {
  it.each([
    [['no-such-program'], /exec: "no-such-program": executable file not found in \$PATH/],
    [['/no/such/program'], /no such file or directory/],
    [['/etc'], /permission denied|is a directory/],
    [['/etc/passwd'], /permission denied/],
  ])('%j fails with 255 and says why', async (args, text) => {
    const { id, pid } = await t.running()
    const result = await t.runtime(['exec', id, ...args])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(text)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })

  it('fails with 255 for an id that does not exist', async () => {
    const result = await t.runtime(['exec', 't-missing', 'true'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/container does not exist/)
  })

  it('fails with 255 in a stopped container', async () => {
    const { id } = await t.stopped()
    const result = await t.runtime(['exec', id, 'true'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/cannot exec in a stopped container|container not running/)
  })

  it.each(['-1', '1x', '1:', '1:x', ':1', '1:-1', 'root'])('refuses --user %j', async (user) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', `--user=${user}`, id, 'id'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).not.toBe('')
  })

  it('fails without a command', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', id])
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).not.toBe('')
  })

  it.each([
    ['not JSON', '{"args": ['],
    ['empty args', JSON.stringify({ user: { uid: 0, gid: 0 }, args: [], cwd: '/' })],
    ['relative cwd', JSON.stringify({ user: { uid: 0, gid: 0 }, args: ['true'], cwd: 'tmp' })],
  ])('refuses a --process file with %s', async (_, text) => {
    const { id } = await t.running()
    const path = join(t.hostDirectory(), 'process.json')
    writeFileSync(path, text)
    const result = await t.runtime(['exec', '--process', path, id])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).not.toBe('')
  })

  it('refuses a --process file that is missing', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--process', '/no/such/process.json', id])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/\/no\/such\/process\.json/)
  })
})

describe('exec in the container', () => {
  it('joins all namespaces of init', async () => {
    const { id, pid } = await t.running()
    const report = await probe(id)
    for (const kind of ['ipc', 'mnt', 'net', 'pid', 'uts', 'user', 'cgroup']) {
      expect(report.namespaces[kind], kind).toBe(namespaceOf(pid, kind))
    }
  })

  it('joins the cgroups of init in every hierarchy', async () => {
    const { id, pid } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    expect(cgroupsOf(Number(readFileSync(pidFile, 'utf8')))).toEqual(cgroupsOf(pid))
  })

  it('has the capabilities, limits and no_new_privs of the container', async () => {
    const { id } = await t.running({
      spec: (spec) => {
        spec.process.rlimits = [{ type: 'RLIMIT_FSIZE', soft: 500_000, hard: 600_000 }]
      },
    })
    const report = await probe(id)
    const mask = capabilityMask('AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE')
    expect(report.capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
    expect(report.noNewPrivs).toBe(1)
    expect(report.rlimits.RLIMIT_FSIZE).toEqual(['500000', '600000'])
  })

  it('sees the mounts of the container and nothing of the host', async () => {
    const { id } = await t.running()
    expect((await t.ok(['exec', id, 'ls', '/'])).stdout.split('\n')).toContain('probe')
    expect((await t.runtime(['exec', id, 'ls', t.directory])).exitCode).toBe(1)
  })

  it('has the environment and cwd of the container by default', async () => {
    const { id } = await t.running({ process: { env: ['PATH=/bin', 'ONE=1'], cwd: '/tmp' } })
    const report = await probe(id)
    expect(report.env).toEqual(expect.arrayContaining(['PATH=/bin', 'ONE=1']))
    expect(report.cwd).toBe('/tmp')
  })

  it('passes no descriptor and no ignored signal of the caller on', async () => {
    const { id } = await t.running()
    const through = [program('launch'), '--fds', '--ignore-signals', '--block-signals', '--']
    const report = await probe(id, [], { through })
    expect(Object.keys(report.fds)).toEqual(['0', '1', '2'])
    expect(report.signalsIgnored).toEqual([])
  })

  it('does not outlive init', async () => {
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await t.ok(['kill', id, 'KILL'])
    await waitFor(() => !isAlive(pid))
  })

  it('works without a pid namespace of its own', async () => {
    const { id } = await t.running({ spec: (spec) => shareWithHost(spec, 'pid') })
    expect(await t.runtime(['exec', id, 'sh', '-c', 'exit 4'])).toMatchObject({ exitCode: 4 })
  })

  it('works in a rootfs that holds one static program', async () => {
    const { id } = await t.running({ rootfs: 'empty-static', args: ['/probe', '--then-wait'] })
    expect((await probe(id)).argv).toEqual(['/probe'])
  })
})

describe('exec flags', () => {
  it.each(['--user', '-u'])('%s sets uid and gid', async (flag) => {
    const { id } = await t.running()
    const report = await probe(id, [flag, '1000:2000'])
    expect([report.uid, report.gid]).toEqual([
      [1000, 1000, 1000],
      [2000, 2000, 2000],
    ])
  })

  it('--additional-gids sets the groups', async () => {
    const { id } = await t.running()
    expect((await probe(id, ['--additional-gids', '7', '--additional-gids', '8'])).groups).toEqual([7, 8])
  })

  it('--cwd sets the directory', async () => {
    const { id } = await t.running()
    expect((await probe(id, ['--cwd', '/etc'])).cwd).toBe('/etc')
  })

  it.each(['FOO', '=x', ''])('--env %j is no variable', async (variable) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--env', variable, id, 'env'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toMatch(/environment variable/)
  })

  it.each(['--env', '-e'])('%s adds to the environment, the last one wins', async (flag) => {
    const { id } = await t.running({ process: { env: ['PATH=/bin', 'ONE=1'] } })
    const { stdout } = await t.ok(['exec', flag, 'TWO=2 = two', flag, 'ONE=changed', id, 'env'])
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['TWO=2 = two', 'ONE=changed', 'PATH=/bin']))
  })

  it('--cap adds a capability to the command', async () => {
    const { id } = await t.running()
    const report = await probe(id, ['--cap', 'CAP_SYS_PTRACE'])
    const mask = capabilityMask('AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE', 'SYS_PTRACE')
    expect(report.capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
  })

  it.each(['--detach', '-d'])('%s returns at once and the pid file holds the host pid', async (flag) => {
    const { id, pid } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    const result = await t.ok(['exec', flag, '--pid-file', pidFile, id, 'sleep', '1000'])
    expect(result.stdout).toBe('')
    const text = readFileSync(pidFile, 'utf8')
    expect(text).toMatch(/^[1-9]\d*$/)
    expect(namespaceOf(Number(text), 'pid')).toBe(namespaceOf(pid, 'pid'))
    await waitFor(() => readFileSync(`/proc/${text}/comm`, 'utf8') === 'sleep\n')
  })

  it('--pid-file without --detach holds the host pid as well', async () => {
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    const { stdout } = await t.ok(['exec', '--pid-file', pidFile, id, 'sh', '-c', 'echo ran'])
    expect(stdout).toBe('ran\n')
    expect(readFileSync(pidFile, 'utf8')).toMatch(/^[1-9]\d*$/)
  })

  it("--detach leaves the command to its caller's reaper, not to a helper of ours", async () => {
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    const parent = processStat(Number(readFileSync(pidFile, 'utf8')))?.ppid ?? 0
    expect(readFileSync(`/proc/${parent}/comm`, 'utf8')).not.toMatch(/runc|crio-lxc/)
  })

  it('--detach writes no pid file when the command cannot run', async () => {
    const { id } = await t.running()
    const directory = t.hostDirectory()
    const result = await t.runtime(['exec', '--detach', '--pid-file', join(directory, 'pid'), id, 'no-such-program'])
    expect(result.exitCode).toBe(255)
    expect(() => readFileSync(join(directory, 'pid'))).toThrow(/ENOENT/)
  })

  it('--process applies the whole file', async () => {
    const { id } = await t.running()
    const path = processFile({
      terminal: false,
      user: { uid: 12, gid: 34, additionalGids: [56, 78] },
      args: ['/probe', 'one', ''],
      env: ['PATH=/bin', 'ONLY=this'],
      cwd: '/tmp',
      capabilities: {
        bounding: ['CAP_KILL', 'CAP_CHOWN'],
        permitted: ['CAP_KILL'],
        effective: ['CAP_KILL'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      },
      rlimits: [{ type: 'RLIMIT_FSIZE', soft: 100_000, hard: 200_000 }],
      noNewPrivileges: true,
    })
    const report = parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
    expect(report).toMatchObject({
      uid: [12, 12, 12],
      gid: [34, 34, 34],
      groups: [56, 78],
      argv: ['/probe', 'one', ''],
      cwd: '/tmp',
      noNewPrivs: 1,
      capabilities: {
        bounding: capabilityMask('KILL', 'CHOWN'),
        permitted: capabilityMask('KILL'),
        effective: capabilityMask('KILL'),
        inheritable: capabilityMask('KILL'),
        ambient: capabilityMask('KILL'),
      },
    })
    expect(report.rlimits.RLIMIT_FSIZE).toEqual(['100000', '200000'])
    expect(report.env.filter((entry) => !entry.startsWith('HOME='))).toEqual(['PATH=/bin', 'ONLY=this'])
  })

  it('--process takes -p and a detached command, as conmon calls it', async () => {
    const { id } = await t.running()
    const path = processFile({ user: { uid: 0, gid: 0 }, args: ['sleep', '1000'], env: ['PATH=/bin'], cwd: '/' })
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--pid-file', pidFile, '-p', path, '--detach', id])
    await waitFor(() => readFileSync(`/proc/${readFileSync(pidFile, 'utf8')}/comm`, 'utf8') === 'sleep\n')
  })
})

describe('exec on a terminal', () => {
  const onPty = [program('on-pty'), '31', '117']

  it.each(['--tty', '-t'])('%s gives the command a terminal of its own', async (flag) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', flag, id, '/probe'], { through: onPty, input: '' })
    expect(result, result.stdout).toMatchObject({ exitCode: 0 })
    const { tty } = parseProbe(result.stdout)
    expect(tty).toMatchObject({ isatty: [true, true, true], controlling: true })
    expect(tty.name).toMatch(/^\/dev\/pts\/\d+$/)
    expect(tty.ttySession).toBe(tty.session)
    expect(tty.foreground).toBe(tty.group)
  })

  it("gives the terminal the size of the caller's", async () => {
    const { id } = await t.running()
    const script = 'until s=$(stty size 2>/dev/null) && [ -n "$s" ] && [ "$s" != "0 0" ]; do :; done; echo "$s"'
    const result = await t.runtime(['exec', '--tty', id, 'sh', '-c', script], { through: onPty, input: '' })
    expect(result.stdout).toContain('31 117\r\n')
  })

  it('returns the exit code', async () => {
    const { id } = await t.running()
    expect(await t.runtime(['exec', '--tty', id, 'sh', '-c', 'exit 7'], { through: onPty, input: '' })).toMatchObject({
      exitCode: 7,
    })
  })

  it('passes what is typed to the command', async () => {
    const { id } = await t.running()
    const script = 'read line; echo "got <$line>"'
    const result = await t.runtime(['exec', '-t', id, 'sh', '-c', script], { through: onPty, input: 'hello\n' })
    expect(result.stdout).toContain('got <hello>\r\n')
  })

  it('turns control-C into SIGINT for the command, not for the runtime', async () => {
    const { id } = await t.running()
    const script = 'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.01; done'
    const through = [program('on-pty'), '24', '80', '--after', 'ready']
    const result = await t.runtime(['exec', '-t', id, 'sh', '-c', script], { through, input: '\x03' })
    expect(result.exitCode).toBe(5)
    expect(result.stdout).toContain('interrupted')
  })

  it('--process with terminal true works without a console socket, as CRI-O calls it', async () => {
    const { id } = await t.running()
    const path = processFile({
      terminal: true,
      user: { uid: 1000, gid: 1000 },
      args: ['/probe'],
      env: ['PATH=/bin'],
      cwd: '/',
    })
    const result = await t.runtime(['exec', '--process', path, id], { through: onPty, input: '' })
    const report = parseProbe(result.stdout)
    expect(report.tty).toMatchObject({ isatty: [true, true, true], controlling: true, owner: 1000 })
  })
})
