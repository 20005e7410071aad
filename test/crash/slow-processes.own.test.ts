/** Processes that take their time between two steps are not taken for dead. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { cgroupMounts } from '../support/proc.ts'
import { requires } from '../support/requires.ts'

// Where there is a v1 freezer nobody asks whether the v2 cgroup is frozen.
requires('root', 'own-runtime', 'cgroup-v1', 'cgroup-v2')
const t = useContainers()

/** Longer than the runtime waits before it looks whether the process is still there. */
const PAUSE_MS = 1500

/** A v2 cgroup in which processes stand still from their birth on, until they are let go. */
function stillness(): { cgroup: string; end: () => void } {
  const cgroup = `/still-${process.pid}`
  const path = join(cgroupMounts()[''] ?? '', cgroup)
  mkdirSync(path)
  t.defer(() => rmdirSync(path))
  writeFileSync(`${path}/cgroup.freeze`, '1')
  const end = (): void => writeFileSync(`${path}/cgroup.freeze`, '0')
  t.defer(end)
  return { cgroup, end }
}

describe('a process that was forked into its v2 cgroup, and has not said so yet', () => {
  it('of create', async () => {
    const { cgroup, end } = stillness()
    const id = t.id()
    const bundle = await t.bundle({ spec: (spec) => Object.assign(spec.linux, { cgroupsPath: `${cgroup}/${id}` }) })
    const creating = t.runtime(['create', '--bundle', bundle.path, id])
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    end()
    const result = await creating
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    await t.ok(['delete', '--force', id])
  })
})
