/** How much memory a verb takes at its largest: engines start many of them at once, on small machines too. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { podmanProfile } from '../../bench/bench-bundle.ts'
import { compileSpawnTimer, type SpawnTimer, startSpawnTimer } from '../../bench/spawn-timer.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime', 'cc')
const t = useContainers()

const MB = 1000
/** Not more than the caller's own memory may show, or nothing small could be seen. */
const callerKb = 2 * MB

// A process starts with its caller's peak, so the caller must be a small one: Node would show in every number.
let timer: SpawnTimer
beforeAll(() => {
  timer = startSpawnTimer(compileSpawnTimer(t.directory), join(t.directory, 'timer.log'))
})
afterAll(() => timer.close())

/** The peak of one call, in kB: of the verb's process, or of the largest that it has waited for. */
async function peakOf(...args: string[]): Promise<number> {
  return (await timer.run([runtimePath, '--root', t.root, ...args])).peakKb
}

describe('the peak of', () => {
  it('a program that does nothing shows that the caller is small', async () => {
    expect((await timer.run(['/bin/true'])).peakKb).toBeLessThan(callerKb)
  })

  it('create is at most 8 MB, with the seccomp profile of podman too', async () => {
    for (const spec of [undefined, podmanProfile()]) {
      const bundle = await t.bundle({
        args: ['sleep', '1000'],
        spec: ({ linux }) => spec && Object.assign(linux, { seccomp: spec }),
      })
      expect(await peakOf('create', '--bundle', bundle.path, t.id())).toBeLessThanOrEqual(8 * MB)
    }
  })

  it('state is at most 4 MB, and so is that of the other verbs', async () => {
    const { id } = await t.running()
    const calls = [['state', id], ['exec', id, '/probe'], ['list'], ['kill', id, 'KILL'], ['delete', '--force', id]]
    const peaks: Record<string, number> = {}
    for (const call of calls) peaks[call[0] ?? ''] = await peakOf(...call)
    expect(Object.entries(peaks).filter(([, peak]) => peak > 4 * MB)).toEqual([])
    // Whoever measures nothing sees no limit exceeded.
    expect(peaks['state']).toBeGreaterThan(1 * MB)
  })
})
