/** `run` ends with its container, and takes none of the same id that came after it. */
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { processStat } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

it('run in the foreground does not delete the next container of its id', async () => {
  const id = t.id()
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const run = t.runtime(['run', '--bundle', bundle.path, id])
  const { pid } = await waitFor(async () => {
    const state = await t.stateOrNone(id)
    return state?.status === 'running' ? state : undefined
  })
  const parent = processStat(pid)?.ppid ?? 0
  expect(parent).toBeGreaterThan(1)
  process.kill(parent, 'SIGSTOP')
  try {
    await t.ok(['delete', '--force', id])
    await t.create(bundle, { id })
  } finally {
    process.kill(parent, 'SIGCONT')
  }
  const second = await t.state(id)
  expect(await run).toMatchObject({ exitCode: 137 })
  expect(await t.state(id)).toMatchObject({ status: 'created', pid: second.pid })
})
