/** What exec's options and process.json mean in detail: whatever runc decides that the spec leaves open. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, type ProbeReport, parseProbe } from '../../support/probe.ts'
import { cgroupMounts, cgroupsOf, commandLines, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

async function probe(id: string, flags: readonly string[] = [], options: InvokeOptions = {}): Promise<ProbeReport> {
  return parseProbe((await t.ok(['exec', ...flags, id, '/probe'], options)).stdout)
}

/** `exec --process` of /probe with these fields and no others that may be left out. */
async function probeProcess(id: string, fields: object = {}): Promise<ProbeReport> {
  const path = join(t.hostDirectory(), 'process.json')
  const process = { user: { uid: 0, gid: 0 }, args: ['/probe'], env: ['PATH=/bin'], cwd: '/', ...fields }
  writeFileSync(path, JSON.stringify(process))
  return parseProbe((await t.ok(['exec', '--process', path, id])).stdout)
}

/** A shell that opens descriptors for the runtime and then becomes it. */
const opening = (script: string): InvokeOptions => ({ through: ['sh', '-c', `${script}; exec "$@"`, 'sh'] })

describe('users, groups and capabilities', () => {
  it('--additional-gids adds to the groups of the container', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 0, additionalGids: [5, 6] } } })
    expect((await probe(id, ['-g', '7', '-g', '8'])).groups).toEqual([5, 6, 7, 8])
  })

  it('--user without a group keeps the group and the groups of the container', async () => {
    const { id } = await t.running({ process: { user: { uid: 0, gid: 4, additionalGids: [5] } } })
    expect(await probe(id, ['--user', '1000'])).toMatchObject({
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
    const { capabilities } = await probe(id, ['--user', '1000:1000', '-c', 'CAP_CHOWN'])
    expect(capabilities).toMatchObject({
      effective: capabilityMask('CHOWN'),
      ambient: capabilityMask('CHOWN'),
      bounding: capabilityMask('KILL', 'CHOWN'),
    })
  })

  it('--cap without inheritable capabilities gives another user nothing but the bounding set', async () => {
    const { id } = await t.running()
    const { capabilities } = await probe(id, ['--user', '1000', '--cap', 'CAP_SYS_PTRACE'])
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
    expect((await probe(id, flags)).noNewPrivs).toBe(value)
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
    expect((await probe(id, ['--cwd', ''])).cwd).toBe('/tmp')
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
    expect([(await probeProcess(id)).oomScoreAdj, (await probe(id)).oomScoreAdj]).toEqual(['321\n', '321\n'])
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

describe('exec --cgroup', () => {
  /** Makes `sub` below the container's cgroup in one hierarchy; gives its path as /proc/PID/cgroup shows it. */
  function subCgroup(pid: number, hierarchy: string, sub: string): string {
    const path = `${cgroupsOf(pid)[hierarchy]}/${sub}`
    const mount = cgroupMounts()[hierarchy] ?? ''
    // The test may itself run in a cgroup that is the root of a mount.
    const directory = join(mount, path)
    mkdirSync(directory)
    if (hierarchy === 'cpuset')
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        writeFileSync(join(directory, file), readFileSync(join(directory, '..', file)))
    t.defer(() => rmdirSync(directory))
    return path
  }

  async function cgroupsIn(id: string, ...flags: string[]): Promise<Record<string, string>> {
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, ...flags, id, 'sleep', '1000'])
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const cgroups = cgroupsOf(pid)
    process.kill(pid, 'SIGKILL')
    await waitFor(() => !isAlive(pid))
    return cgroups
  }

  describe('with controllers of v1', () => {
    requires('cgroup-v1-pids')

    it('CONTROLLER:PATH is for that hierarchy alone', async () => {
      const { id, pid } = await t.running()
      const path = subCgroup(pid, 'pids', 'sub')
      expect(await cgroupsIn(id, '--cgroup', 'pids:sub')).toEqual({ ...cgroupsOf(pid), pids: path })
    })

    it('CONTROLLER,CONTROLLER:PATH and several options are for each of theirs', async () => {
      const { id, pid } = await t.running()
      const [pids, freezer, devices] = [
        subCgroup(pid, 'pids', 'a'),
        subCgroup(pid, 'freezer', 'a'),
        subCgroup(pid, 'devices', 'b'),
      ]
      expect(await cgroupsIn(id, '--cgroup', 'pids,freezer:a', '--cgroup', 'devices:/b/')).toEqual({
        ...cgroupsOf(pid),
        pids,
        freezer,
        devices,
      })
    })
  })

  it('PATH is for all hierarchies', async () => {
    const { id, pid } = await t.running()
    const mounted = Object.keys(cgroupMounts()).filter((name) => cgroupsOf(pid)[name] !== undefined)
    for (const name of mounted) subCgroup(pid, name, 'everywhere')
    const own = cgroupsOf(pid)
    const expected = Object.fromEntries(mounted.map((name) => [name, `${own[name]}/everywhere`]))
    expect(await cgroupsIn(id, '--cgroup', 'everywhere')).toMatchObject(expected)
  })

  it.each([
    [['no-such-cgroup'], / adding pid .*no-such-cgroup.*no such file or directory/],
    [['../..'], /\.\.\/\.\. is not a sub cgroup path/],
    [['pids:../..'], /\.\.\/\.\. is not a sub cgroup path/],
    [['no-such-controller:sub'], /unknown controller "?no-such-controller/],
    [[':sub'], /sub/],
    [['pids:a', 'pids:b'], /pids/],
    [['a', 'pids:b'], /CONTROLLER|controller/],
  ])('%j is refused, and nothing runs', async (cgroups, text) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', ...cgroups.flatMap((each) => ['--cgroup', each]), id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(text)
  })
})

describe('exec --preserve-fds', () => {
  it('passes as many as it says, in order, and no more', async () => {
    const { id } = await t.running()
    const { fds } = await probe(id, ['--preserve-fds', '2'], opening('exec 3</etc/passwd 4</etc/group 5</etc/hostname'))
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(Object.keys(fds)).toEqual(['0', '1', '2', '3', '4'])
  })

  it('fails when one of them is not open, and nothing runs', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--preserve-fds', '40', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(/40/)
  })

  it('does not take sockets of LISTEN_FDS for its own', async () => {
    const { id } = await t.running()
    const report = await probe(id, [], opening('exec 3</etc/passwd; export LISTEN_FDS=1 LISTEN_PID=$$'))
    expect(Object.keys(report.fds)).toEqual(['0', '1', '2'])
    expect(report.env.join(' ')).not.toContain('LISTEN_')
  })
})

describe('sockets of a service manager (LISTEN_FDS)', () => {
  const listening = (count: number, more = ''): InvokeOptions =>
    opening(`exec 3</etc/passwd 4</etc/group; export LISTEN_FDS=${count} LISTEN_PID=$$ ${more}`)

  it('run passes them on and tells the process', async () => {
    const { fds, env } = await t.probe({}, listening(2))
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=2', 'LISTEN_PID=1']))
  })

  it('those of --preserve-fds follow', async () => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const result = await t.run(bundle, { ...listening(1), flags: ['--preserve-fds', '1'] })
    const { fds, env } = parseProbe(result.stdout)
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(Object.keys(fds)).toHaveLength(5)
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=1', 'LISTEN_PID=1']))
  })

  it('create does the same', async () => {
    const { id, result } = await t.create({ args: ['/probe'] }, listening(2))
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    const { fds, env } = parseProbe(result.output())
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=2', 'LISTEN_PID=1']))
  })

  it('they are left alone when they are for another process', async () => {
    const { fds, env } = await t.probe({}, listening(2, 'LISTEN_PID=1'))
    expect(Object.keys(fds)).toEqual(['0', '1', '2'])
    expect(env.join(' ')).not.toContain('LISTEN_')
  })
})

describe('a pid file that cannot be written', () => {
  it('fails exec with 255 and ends the process', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--detach', '--pid-file', '/no/such/directory/pid', id, 'sleep', '7654'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/no such file or directory/)
    expect([...commandLines().values()]).not.toContain('sleep 7654')
  })

  it.each(['create', 'run'])('fails %s and leaves nothing', async (verb) => {
    const bundle = await t.bundle({ args: ['sleep', '7655'] })
    const result = await t.runtime([verb, '--pid-file', '/no/such/directory/pid', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/no such file or directory/)
    t.expectNothingLeft()
  })
})
