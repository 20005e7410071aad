/** --cgroup-manager disabled, crun's option for podman --cgroups=disabled: a container in the cgroup of its caller. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

const disabled = ['--cgroup-manager', 'disabled']

interface Started {
  readonly id: string
  readonly pid: number
}

/** Runs in the caller's cgroup, and says so itself. */
async function start(options: BundleOptions = {}): Promise<Started> {
  const id = t.id()
  const bundle = await t.bundle({ args: ['sleep', '1000'], ...options })
  await t.ok([...disabled, 'run', '--detach', '--bundle', bundle.path, id])
  return { id, pid: (await t.state(id)).pid }
}

describe('a container without a cgroup', () => {
  it('is where its caller is, whatever cgroupsPath says, and so is an exec; no cgroup is made', async () => {
    const { id, pid } = await start({
      spec: (spec) => {
        spec.linux.cgroupsPath = '/crio-lxc-no-such-cgroup'
      },
    })
    expect(cgroupsOf(pid)).toEqual(cgroupsOf(process.pid))
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    expect(cgroupsOf(Number(readFileSync(pidFile, 'utf8')))).toEqual(cgroupsOf(process.pid))
    for (const path of ['crio-lxc-no-such-cgroup', 'crio-lxc:none'])
      for (const hierarchy of ['', 'pids/', 'unified/'])
        expect(existsSync(`/sys/fs/cgroup/${hierarchy}${path}`)).toBe(false)
  })

  it('is listed, signalled and deleted with all of its processes, and nobody else is', async () => {
    const { id, pid } = await start({ args: ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'] })
    const inside = async (): Promise<number[]> => JSON.parse((await t.ok(['ps', '--format', 'json', id])).stdout)
    const pids = await waitFor(async () => ((await inside()).length === 3 ? inside() : undefined))
    expect(pids).toContain(pid)
    await t.ok(['kill', '--all', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    expect(pids.filter((each) => isAlive(each))).toEqual([])
    await t.ok(['delete', id])
    const other = await start()
    await t.ok(['delete', '--force', other.id])
    expect(isAlive(other.pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('whose container.json is damaged is deleted, and its caller lives on', async () => {
    const root = existsSync('/sys/fs/cgroup/cgroup.procs') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified'
    const cgroup = `${root}/${t.id()}`
    mkdirSync(cgroup)
    const caller = spawn('sleep', ['1000'], { stdio: 'ignore' })
    t.defer(async () => {
      caller.kill('SIGKILL')
      await waitFor(() => readFileSync(`${cgroup}/cgroup.procs`, 'utf8') === '', { what: 'the cgroup to be empty' })
      rmdirSync(cgroup)
    })
    writeFileSync(`${cgroup}/cgroup.procs`, String(caller.pid))
    const id = t.id()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const through = ['sh', '-c', 'echo 0 >"$0" && exec "$@"', `${cgroup}/cgroup.procs`]
    await t.ok([...disabled, 'run', '--detach', '--bundle', bundle.path, id], { through })
    const { pid } = await t.state(id)
    expect(cgroupsOf(pid)).toEqual(cgroupsOf(caller.pid ?? 0))
    writeFileSync(join(t.root, id, 'container.json'), '{')
    await t.ok(['delete', '--force', id])
    expect([isAlive(pid), isAlive(caller.pid ?? 0)]).toEqual([false, true])
  })

  it.each([
    ['pause', [], 'pause'],
    ['update', ['--pids-limit', '5'], 'update'],
    ['events', ['--stats'], 'look at the events of'],
  ])('%s says that there is none', async (verb, flags, what) => {
    const { id } = await start()
    const result = await t.runtime([verb, ...flags, id])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toBe(`${what} ${id}: it was created with --cgroup-manager disabled and has no cgroup`)
  })

  it.each<[string, (spec: Spec) => void, RegExp]>([
    [
      'a limit',
      (spec) => Object.assign(spec.linux.resources, { pids: { limit: 5 } }),
      /^linux\.resources\.pids\.limit: needs a cgroup, which --cgroup-manager disabled does not make: remove it$/,
    ],
    [
      "the host's pid namespace",
      (spec) => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid')
      },
      /^linux\.namespaces: with --cgroup-manager disabled nothing but a pid namespace .*: add a new one$/,
    ],
    [
      'a cgroup mount that can be written',
      (spec) => {
        spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw'] })
      },
      /^mounts\[\d+\]: with --cgroup-manager disabled it shows the caller's cgroup, .*: add the option "ro"$/,
    ],
  ])('cannot have %s', async (_what, spec, message) => {
    const bundle = await t.bundle({ spec })
    const result = await t.runtime([...disabled, 'create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(message)
    t.expectNothingLeft()
  })

  it("shows the caller's cgroup, to be read", async () => {
    const bundle = await t.bundle({
      args: ['sh', '-c', 'ls /sys/fs/cgroup; find /sys/fs/cgroup -name cgroup.procs | head -1; echo >/sys/fs/cgroup/x'],
      spec: (spec) => {
        spec.mounts = spec.mounts.filter(({ type }) => type !== 'cgroup')
        spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] })
      },
    })
    const result = await t.runtime([...disabled, 'run', '--bundle', bundle.path, t.id()])
    expect(result.stdout).toContain('cgroup.procs')
    expect(result.stderr).toMatch(/Read-only file system/)
  })
})

describe('a create that fails leaves no process', () => {
  it('by itself', async () => {
    const bundle = await t.bundle({ args: ['/no/such/program'] })
    const result = await t.runtime([...disabled, 'create', '--bundle', bundle.path, t.id()])
    expect(messageOf(result)).toContain('/no/such/program')
    t.expectNothingLeft()
  })

  it('when the pid file cannot be written', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const flags = ['--pid-file', '/no/such/directory/pid']
    const result = await t.runtime([...disabled, 'create', ...flags, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).not.toBe(0)
    t.expectNothingLeft()
  })

  it('when it is killed while a hook runs, and delete --force comes', async () => {
    const id = t.id()
    const started = join(t.hostDirectory(), 'started')
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: (spec) => {
        const script = `echo >${started}; sleep 1000`
        spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script] }] }
      },
    })
    const abort = new AbortController()
    const creating = t
      .runtime([...disabled, 'create', '--bundle', bundle.path, id], { cancelSignal: abort.signal })
      .catch(() => undefined)
    await waitFor(() => existsSync(started), { timeoutMs: 20_000, what: 'the hook' })
    abort.abort()
    await creating
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })
})
