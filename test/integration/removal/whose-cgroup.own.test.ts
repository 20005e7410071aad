/** What a container's record names may be another's by the time that a verb comes to it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../../support/containers.ts'
import { cgroupMounts, cgroupsOf, childrenOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { type Spec, shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

const inCgroup =
  (path: string) =>
  (spec: Spec): void => {
    spec.linux.cgroupsPath = path
  }

/** Moves a process into `path` of every hierarchy, which is made. */
function move(pid: number, path: string): void {
  for (const mount of new Set(Object.values(cgroupMounts()))) {
    const directory = mount + path
    mkdirSync(directory, { recursive: true })
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(`${directory}/${file}`) && !existsSync(`${directory}/cgroup.events`))
        writeFileSync(`${directory}/${file}`, readFileSync(`${directory}/../${file}`))
    }
    writeFileSync(`${directory}/cgroup.procs`, String(pid))
  }
}

/** Removes `path` from every hierarchy, once what was in it has gone. */
async function removed(path: string): Promise<void> {
  await waitFor(() => {
    for (const mount of new Set(Object.values(cgroupMounts())))
      try {
        rmdirSync(mount + path)
      } catch {
        if (existsSync(mount + path)) return false
      }
    return true
  })
}

/** A process of the host's in the cgroup. */
function foreigner(path: string): number {
  const { pid = 0 } = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true })
  t.defer(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await removed(path)
  })
  move(pid, path)
  return pid
}

async function stop(container: Created): Promise<void> {
  await t.ok(['kill', container.id, 'KILL'])
  await t.waitForStatus(container.id, 'stopped')
}

it('create is refused a cgroup below which a container has all of its processes', async () => {
  const path = `/crio-lxc/${t.id()}`
  const first = await t.running({ spec: inCgroup(path) })
  move(first.pid, `${path}/inner`)
  const bundle = await t.bundle({ spec: inCgroup(path) })
  expect(messageOf(await t.attemptCreate(bundle))).toMatch(/^use cgroup \S+: it has processes/)
  expect(await t.state(first.id)).toMatchObject({ status: 'running', pid: first.pid })
})

describe('a cgroup that was made again by others', () => {
  it.each([[['delete']], [['delete', '--force']]])('%s leaves it', async (command) => {
    const path = `/crio-lxc/${t.id()}`
    const first = await t.running({ spec: inCgroup(path) })
    await stop(first)
    await removed(path)
    const pid = foreigner(path)
    await t.ok([...command, first.id])
    expect(isAlive(pid)).toBe(true)
    expect(cgroupsOf(pid)['']).toBe(path)
  })

  it.each([[['kill', '--all']], [['kill']]])('%s ends nothing there', async (command) => {
    const path = `/crio-lxc/${t.id()}`
    const first = await t.running({
      spec: (spec) => {
        inCgroup(path)(spec)
        shareWithHost(spec, 'pid')
      },
    })
    await stop(first)
    await removed(path)
    const pid = foreigner(path)
    await t.runtime([...command, first.id, 'KILL'])
    expect(isAlive(pid)).toBe(true)
  })
})

describe('a container that was moved out of its cgroup, which another has now', () => {
  async function moved(): Promise<{ first: Created; second: Created }> {
    const path = `/crio-lxc/${t.id()}`
    const elsewhere = `/crio-lxc/${t.id()}-elsewhere`
    const first = await t.running({ spec: inCgroup(path) })
    t.defer(async () => {
      await t.runtime(['delete', '--force', first.id])
      await removed(elsewhere)
    })
    move(first.pid, elsewhere)
    return { first, second: await t.running({ spec: inCgroup(path) }) }
  }

  it.each([
    [['kill', '--all', 'ID', 'KILL']],
    [['kill', 'ID', 'KILL']],
    [['delete', '--force', 'ID']],
    [['pause', 'ID']],
    [['update', '--pids-limit', '77', 'ID']],
    [['ps', '--format', 'json', 'ID']],
    [['exec', 'ID', '/bin/true']],
    [['exec', '--detach', 'ID', 'sleep', '1000']],
    [['events', '--stats', 'ID']],
  ])('%s', async (command) => {
    const { first, second } = await moved()
    const result = await t.runtime(command.map((word) => (word === 'ID' ? first.id : word)))
    expect(await t.state(second.id)).toMatchObject({ status: 'running', pid: second.pid })
    expect(result.stdout).not.toContain(String(second.pid))
    const ps = JSON.parse((await t.ok(['ps', '--format', 'json', second.id])).stdout) as number[]
    expect(ps).toEqual([second.pid])
  })

  it('is not paused when the other is', async () => {
    const { first, second } = await moved()
    await t.ok(['pause', second.id])
    expect(await t.state(first.id)).toMatchObject({ status: 'running' })
    await t.runtime(['resume', first.id])
    expect(await t.state(second.id)).toMatchObject({ status: 'paused' })
  })
})

it.each([[['delete', '--force']], [['kill', '--all']]])(
  '%s ends a container that has locked its cgroup',
  async ([verb = '', flag = '']) => {
    const path = `/crio-lxc/${t.id()}`
    const first = await t.running({
      args: ['sh', '-c', 'sleep 1001 & wait'],
      spec: (spec) => {
        inCgroup(path)(spec)
        shareWithHost(spec, 'pid')
      },
    })
    const [child = 0] = await waitFor(() => {
      const children = childrenOf(first.pid)
      return children.length === 1 ? children : undefined
    })
    const locks = new Set(
      Object.values(cgroupMounts()).flatMap((mount) =>
        ['cgroup.kill', 'devices.deny', 'memory.force_empty', 'blkio.reset_stats'].map(
          (name) => `${mount}${path}/${name}`,
        ),
      ),
    )
    for (const file of [...locks].filter(existsSync)) {
      const { pid = 0 } = spawn('flock', ['--exclusive', file, 'sleep', '1000'], { stdio: 'ignore', detached: true })
      t.defer(() => {
        process.kill(-pid, 'SIGKILL')
      })
      await waitFor(() => childrenOf(pid).length > 0)
    }
    await t.ok([verb, flag, first.id, ...(verb === 'kill' ? ['KILL'] : [])])
    expect([first.pid, child].filter(isAlive)).toEqual([])
  },
)

describe('a container whose container.json is damaged', () => {
  const damage = ({ id }: Created): void => writeFileSync(`${t.root}/${id}/container.json`, 'damaged')

  it('was moved to where others are: delete --force ends it alone', async () => {
    const path = `/crio-lxc/${t.id()}`
    const pid = foreigner(path)
    const first = await t.running()
    move(first.pid, path)
    damage(first)
    await t.ok(['delete', '--force', first.id])
    expect([isAlive(first.pid), isAlive(pid)]).toEqual([false, true])
  })

  it('was moved out of its cgroup, which another has now: delete --force ends it alone', async () => {
    const path = `/crio-lxc/${t.id()}`
    const first = await t.running({ spec: inCgroup(path) })
    const elsewhere = `/crio-lxc/${t.id()}`
    move(first.pid, elsewhere)
    t.defer(() => removed(elsewhere))
    const second = await t.running({ spec: inCgroup(path) })
    move(first.pid, path)
    damage(first)
    await t.ok(['delete', '--force', first.id])
    expect(isAlive(first.pid)).toBe(false)
    expect(await t.state(second.id)).toMatchObject({ status: 'running', pid: second.pid })
  })

  it('has divided its cgroup: delete --force ends all of it', async () => {
    const path = `/crio-lxc/${t.id()}`
    const first = await t.running({ spec: inCgroup(path) })
    move(first.pid, `${path}/inner`)
    const pid = foreigner(`${path}/other`)
    damage(first)
    writeFileSync(`${t.root}/${first.id}/config.json`, 'damaged')
    await t.ok(['delete', '--force', first.id])
    expect([first.pid, pid].filter(isAlive)).toEqual([])
  })
})

describe('a caller without CAP_SYS_ADMIN, to whom no cgroup says whose it is', () => {
  const through = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin']

  it('sees what a container is at and uses', async () => {
    const { id } = await t.running()
    const { stdout } = await t.ok(['events', '--stats', id], { through })
    expect(JSON.parse(stdout)).toMatchObject({ type: 'stats', id, data: { pids: { current: 1 } } })
    await t.ok(['pause', id])
    expect(JSON.parse((await t.ok(['state', id], { through })).stdout)).toMatchObject({ status: 'paused' })
  })
})

it.each([`/${'x'.repeat(5000)}`, '/a/cgroup.procs/x'])(
  'delete --force of a record with an impossible cgroup',
  async (cgroupDir) => {
    const { id, pid } = await t.running()
    const path = `${t.root}/${id}/container.json`
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), cgroupDir }))
    await t.runtime(['delete', '--force', id])
    expect(existsSync(`${t.root}/${id}`)).toBe(false)
    expect(isAlive(pid)).toBe(false)
    // Nobody knows its own any more.
    await removed(`/crio-lxc/${id}`)
  },
)
