/**
 * A cgroup of v2 in which everything has been killed once. Linux since 6.14 kills what is then forked into it from a cgroup that
 * has not, and what is forked out of it.
 */
import { basename } from 'node:path'
import { expect, it } from 'vitest'
import { killedCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'cgroup-v2')
const t = useContainers()

const withHook = (spec: Spec): void => {
  spec.hooks = { startContainer: [{ path: '/bin/true', args: ['true'] }] }
}

it('a container is made in it, entered and ended', async () => {
  const cgroupsPath = `/${basename(killedCgroup(t))}`
  const { id } = await t.running({
    spec: (spec) => {
      spec.linux.cgroupsPath = cgroupsPath
      withHook(spec)
    },
  })
  expect((await t.ok(['exec', id, 'echo', 'inside'])).stdout).toBe('inside\n')
  await t.ok(['delete', '--force', id])
})

it('a runtime that is called from it makes a container elsewhere, enters and ends it', async () => {
  const directory = killedCgroup(t)
  const through = ['sh', '-c', `echo $$ > ${directory}/cgroup.procs && exec "$@"`, 'sh']
  const bundle = await t.bundle({ args: ['sleep', '1000'], spec: withHook })
  const id = t.id()
  await t.ok(['create', '--bundle', bundle.path, id], { through })
  await t.ok(['start', id], { through })
  expect((await t.ok(['exec', id, 'echo', 'inside'], { through })).stdout).toBe('inside\n')
  expect(t.read(`${directory}/cgroup.procs`)).toBe('')
  await t.ok(['delete', '--force', id], { through })
})
