/** A create that is ended on the way. */
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('an interrupted create', () => {
  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('%s half way: delete --force cleans up', async (signal) => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    for (const afterMs of [2, 5, 8, 11, 14, 17, 20, 24, 28, 35]) {
      const id = t.id()
      const child = spawn(runtimePath, ['--root', t.root, 'create', '--bundle', bundle.path, id], { stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      const from = performance.now()
      while (performance.now() - from < afterMs) await new Promise((resolve) => setImmediate(resolve))
      child.kill(signal)
      await ended
      const result = await t.runtime(['delete', '--force', id])
      expect(result, `after ${afterMs} ms: ${result.stderr}`).toMatchObject({ exitCode: 0, timedOut: false })
      // A child that create had spawned but that was in no cgroup yet ends by itself, as its pipes do.
      await waitFor(() => t.leftovers().length === 0, { timeoutMs: 2000 }).catch(() => undefined)
      expect(t.leftovers(), `after ${afterMs} ms`).toEqual([])
    }
  })

  it('the id can be used again', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    const child = spawn(runtimePath, ['--root', t.root, 'create', '--bundle', bundle.path, id], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const from = performance.now()
    while (performance.now() - from < 12) await new Promise((resolve) => setImmediate(resolve))
    child.kill('SIGKILL')
    await ended
    await t.ok(['delete', '--force', id])
    await t.create(bundle, { id })
  })
})
