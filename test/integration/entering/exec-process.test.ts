/**
 * What the process of exec is, by options and by process.json, and what they leave to the container. Where the
 * specification leaves it open, it is what runc decides.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { namespaceOf, processStat } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** `exec --process` of /probe with these fields and no others that may be left out. */
async function probeProcess(id: string, fields: object = {}): Promise<ProbeReport> {
  const process = { user: { uid: 0, gid: 0 }, args: ['/probe'], env: ['PATH=/bin'], cwd: '/', ...fields }
  const path = t.processFile(process)
  return parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
}

describe('exec flags', () => {
  it('options with an empty value are as if they were not given', async () => {
    const { id } = await t.running()
    const report = await t.probeExec(id, ['--user', '', '--cwd', '', '--process', ''])
    expect(report).toMatchObject({ uid: [0, 0, 0], gid: [0, 0, 0], cwd: '/' })
  })

  it.each(['--user', '-u'])('%s sets uid and gid', async (flag) => {
    const { id } = await t.running()
    const report = await t.probeExec(id, [flag, '1000:2000'])
    expect([report.uid, report.gid]).toEqual([
      [1000, 1000, 1000],
      [2000, 2000, 2000],
    ])
  })

  it('--additional-gids sets the groups', async () => {
    const { id } = await t.running()
    expect((await t.probeExec(id, ['--additional-gids', '7', '--additional-gids', '8'])).groups).toEqual([7, 8])
  })

  it('--cwd sets the directory', async () => {
    const { id } = await t.running()
    expect((await t.probeExec(id, ['--cwd', '/etc'])).cwd).toBe('/etc')
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
    const report = await t.probeExec(id, ['--cap', 'CAP_SYS_PTRACE'])
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
    const path = t.processFile({
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
    const path = t.processFile({ user: { uid: 0, gid: 0 }, args: ['sleep', '1000'], env: ['PATH=/bin'], cwd: '/' })
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--pid-file', pidFile, '-p', path, '--detach', id])
    await waitFor(() => readFileSync(`/proc/${readFileSync(pidFile, 'utf8')}/comm`, 'utf8') === 'sleep\n')
  })
})

describe('users, groups and capabilities', () => {
  it('--additional-gids adds to the groups of the container', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 0, additionalGids: [5, 6] } } })
    expect((await t.probeExec(id, ['-g', '7', '-g', '8'])).groups).toEqual([5, 6, 7, 8])
  })

  it('--user without a group keeps the group and the groups of the container', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 4, additionalGids: [5] } } })
    expect(await t.probeExec(id, ['--user', '1000'])).toMatchObject({
      uid: [1000, 1000, 1000],
      gid: [4, 4, 4],
      groups: [5],
    })
  })

  it('--cap is ambient too beside inheritable capabilities, so that another user has it', async () => {
    const { id } = await t.running({
      spec: (spec) => {
        const names = ['CAP_KILL', 'CAP_CHOWN']
        spec.process.capabilities = { bounding: names, permitted: names, effective: names, inheritable: names }
      },
    })
    const { capabilities } = await t.probeExec(id, ['--user', '1000:1000', '-c', 'CAP_CHOWN'])
    expect(capabilities).toMatchObject({
      effective: capabilityMask('CHOWN'),
      ambient: capabilityMask('CHOWN'),
      bounding: capabilityMask('KILL', 'CHOWN'),
    })
  })

  it('--cap without inheritable capabilities gives another user nothing but the bounding set', async () => {
    const { id } = await t.running()
    const { capabilities } = await t.probeExec(id, ['--user', '1000', '--cap', 'CAP_SYS_PTRACE'])
    expect(capabilities).toMatchObject({
      effective: '0',
      ambient: '0',
      bounding: capabilityMask('AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE', 'SYS_PTRACE'),
    })
  })

  it.each([
    [[], 1],
    [['--no-new-privs'], 1],
    [['--no-new-privs=false'], 0],
  ] as const)('with %j no_new_privs is %i in a container that has it', async (flags, value) => {
    const { id } = await t.running()
    expect((await t.probeExec(id, flags)).noNewPrivs).toBe(value)
  })

  it.each(['-1', 'x'])('refuses --additional-gids %s', async (gid) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--additional-gids', gid, id, 'true'])
    expect(result.exitCode).not.toBe(0)
    expect(messageOf(result)).toContain(gid)
  })
})

describe('the working directory', () => {
  it('an empty --cwd is none', async () => {
    const { id } = await t.running({ process: { cwd: '/tmp' } })
    expect((await t.probeExec(id, ['--cwd', ''])).cwd).toBe('/tmp')
  })

  it('a relative --cwd is refused', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--cwd', 'tmp', id, 'pwd'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/absolute path/)
  })
})

describe('what process.json leaves out', () => {
  it('is the capabilities of the container', async () => {
    const { id } = await t.running()
    const mask = capabilityMask('AUDIT_WRITE', 'KILL', 'NET_BIND_SERVICE')
    expect((await probeProcess(id)).capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
  })

  it('is no_new_privs: false', async () => {
    const { id } = await t.running()
    expect((await probeProcess(id)).noNewPrivs).toBe(0)
  })

  it('is the oomScoreAdj of the container', async () => {
    const { id } = await t.running({ process: { oomScoreAdj: 321 } })
    expect([(await probeProcess(id)).oomScoreAdj, (await t.probeExec(id)).oomScoreAdj]).toEqual(['321\n', '321\n'])
  })
})

describe('--process', () => {
  const echo = JSON.stringify({ args: ['echo', 'piped'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } })

  it('reads a pipe, of which nobody says how long it is', async () => {
    const { id } = await t.running()
    const through = ['sh', '-c', 'text=$1; shift; { sleep 0.2; printf %s "$text"; } | "$@"', 'sh', echo]
    expect((await t.ok(['exec', '--process', '/dev/stdin', id], { through })).stdout).toBe('piped\n')
  })

  it('reads a fifo', async () => {
    const { id } = await t.running()
    const fifo = join(t.hostDirectory(), 'fifo')
    const through = ['sh', '-c', `mkfifo ${fifo}; printf %s "$1" >${fifo} & shift; exec "$@"`, 'sh', echo]
    expect((await t.ok(['exec', '--process', fifo, id], { through })).stdout).toBe('piped\n')
  })
})
