/**
 * The cgroup mount on a host with nothing but cgroup v2. runc shows the whole tree to a container without a cgroup
 * namespace, and the mount it makes for that clears nsdelegate for the host.
 */
import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { setNamespace } from '../../support/spec.ts'
import { FIRST, giveImage, mapIds } from '../../support/user-namespace.ts'

requires('root', 'own-runtime', 'cgroup-v2-only')
const t = useContainers()

const show = 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; find /sys/fs/cgroup -type d'

describe('the cgroup mount', () => {
  it("with a cgroup namespace is the container's cgroup", async () => {
    const result = await t.run({ args: ['sh', '-c', show], spec: (spec) => setNamespace(spec, 'cgroup') })
    expect(result.stdout).toMatch(/^0::\/\n1\n(\d+\n)*\/sys\/fs\/cgroup\n$/)
  })

  it('without one is the same', async () => {
    const name = t.id()
    const result = await t.run({
      args: ['sh', '-c', show],
      spec: (spec) => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup')
        spec.linux.cgroupsPath = `/${name}`
      },
    })
    expect(result.stdout).toMatch(new RegExp(`^0::/${name}\n1\n(\\d+\n)*/sys/fs/cgroup\n$`))
  })

  it('does not let the container raise its limits, even when it is writable', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'echo max >/sys/fs/cgroup/pids.max; cat /sys/fs/cgroup/pids.max'],
      spec: (spec) => {
        setNamespace(spec, 'cgroup')
        for (const mount of spec.mounts)
          if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro')
        spec.linux.resources.pids = { limit: 64 }
      },
    })
    expect(result.stdout).toBe('64\n')
    expect(result.stderr).toMatch(/Operation not permitted/)
  })
})

describe('cgroup ownership', () => {
  const divide =
    'cd /sys/fs/cgroup && mkdir inner && echo 1 >inner/cgroup.procs && echo +pids >cgroup.subtree_control && echo divided'

  it.each([
    [true, 'divided\n'],
    [false, ''],
  ])('goes to the user of the namespace when the mount is writable: %s', async (writable, output) => {
    const bundle = await t.bundle({
      args: ['sh', '-c', divide],
      spec: (spec) => {
        mapIds(spec)
        setNamespace(spec, 'cgroup')
        for (const mount of spec.mounts)
          if (mount.type === 'cgroup' && writable)
            mount.options = (mount.options ?? []).filter((option) => option !== 'ro')
      },
    })
    giveImage(bundle)
    expect((await t.run(bundle)).stdout).toBe(output)
  })

  it.each([
    ['as it was', 'true'],
    ['divided', divide],
  ])('ends when another container takes over the cgroup, %s', async (_, script) => {
    const path = `/${t.id()}`
    const first = await t.bundle({
      args: ['sh', '-c', script],
      spec: (spec) => {
        mapIds(spec)
        setNamespace(spec, 'cgroup')
        spec.linux.cgroupsPath = path
        for (const mount of spec.mounts)
          if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro')
      },
    })
    giveImage(first)
    const before = await t.stopped(first)
    const directory = `/sys/fs/cgroup${path}`
    expect(statSync(directory).uid).toBe(FIRST)
    const second = await t.running({
      spec: (spec) => {
        spec.linux.cgroupsPath = path
      },
    })
    const files = [directory, ...['procs', 'subtree_control', 'threads'].map((name) => `${directory}/cgroup.${name}`)]
    expect(files.map((file) => statSync(file).uid)).toEqual([0, 0, 0, 0])
    await t.ok(['delete', before.id])
    expect(await t.state(second.id)).toMatchObject({ status: 'running', pid: second.pid })
  })
})
