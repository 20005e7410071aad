/**
 * What a create does to the v2 cgroups above the container's. The host needs no more than a cgroup2 file system: in a mount
 * namespace of its own that is all there is. runc leaves what it has handed down.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { untilRemoved } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import type { Result } from '../../support/runtime.ts'

requires('root', 'own-runtime', 'cgroup-v2')
const t = useContainers()

const unified = cgroupMounts()[''] ?? ''
const onlyV2 = ['unshare', '-m', 'sh', '-c', `mount --bind ${unified} /sys/fs/cgroup && exec "$0" "$@"`]

/** A cgroup for containers; what the ones above and it hand down, and its type. */
function parent(): { name: string; seen: () => string[] } {
  const name = t.id()
  const directory = `${unified}/${name}`
  mkdirSync(directory)
  t.defer(() => untilRemoved(directory))
  const files = [`${unified}/cgroup.subtree_control`, `${directory}/cgroup.subtree_control`, `${directory}/cgroup.type`]
  return { name, seen: () => files.map((file) => t.read(file).trim()) }
}

async function refused(name: string, args: string[]): Promise<Result> {
  const bundle = await t.bundle({
    args,
    spec: (spec) => {
      spec.linux.cgroupsPath = `/${name}/inner`
    },
  })
  const result = await t.runtime(['create', '--bundle', bundle.path, t.id()], { through: onlyV2 })
  expect(result.exitCode).toBe(1)
  expect(result.stderr).not.toMatch(/on socket/)
  return result
}

it('a create that is refused takes back the controllers that it handed down', async () => {
  const { name, seen } = parent()
  const before = seen()
  expect((await refused(name, ['/missing'])).stderr).toMatch(/missing/)
  expect(seen()).toEqual(before)
})

it('a cgroup that has processes stays what it is', async () => {
  const { name, seen } = parent()
  const guest = spawn('sleep', ['1000'])
  t.defer(() => {
    guest.kill('SIGKILL')
  })
  writeFileSync(`${unified}/${name}/cgroup.procs`, String(guest.pid))
  const before = seen()
  await refused(name, ['/missing'])
  expect(seen()).toEqual(before)
  expect(readFileSync(`${unified}/${name}/cgroup.procs`, 'utf8')).toBe(`${guest.pid}\n`)
})

it('below a cgroup that is divided by threads create is refused with a sentence', async () => {
  const { name, seen } = parent()
  const threaded = `${unified}/${name}/threaded`
  mkdirSync(threaded)
  t.defer(() => untilRemoved(threaded))
  writeFileSync(`${threaded}/cgroup.type`, 'threaded')
  const before = seen()
  expect((await refused(name, ['true'])).stderr).toMatch(/create cgroup .*: the one above it is threaded/)
  expect(seen()).toEqual(before)
})
