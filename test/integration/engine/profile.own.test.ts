/** The profile that gcc lays the engine out by: it is the same each time, and in use. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { buildProgram, engineObjects } from '../../../scripts/engine.ts'
import { profileOf, train } from '../../../scripts/engine-profile.ts'
import { ownTarget } from '../../../scripts/engine-target.ts'

const repository = resolve(import.meta.dirname, '../../..')
const runtime = join(repository, 'dist/bin/crio-lxc')
// All of it is in the cache of the build.
const target = ownTarget()
const { profiler } = target
const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-profile-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** What the training program counts, by source. */
function countedIn(name: string): Map<string, Buffer> {
  const prefix = join(directory, name)
  train(profileOf(target, profiler ?? ''), prefix)
  const files = readdirSync(prefix, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.gcda'))
  return new Map(files.map((path) => [basename(path), readFileSync(join(prefix, path))] as const).sort())
}

describe.runIf(profiler)('the profile', () => {
  test('is the same each time, wherever the kernel places the process', () => {
    const [first, second] = [countedIn('1'), countedIn('2')]
    expect([...first.keys()]).toContain('quickjs.gcda')
    expect(first.get('quickjs.gcda')?.length).toBeGreaterThan(100_000)
    expect(second).toEqual(first)
  })

  test('parts what is executed often from the rest, in the objects of the executable', () => {
    const objects = engineObjects(target).filter((path) => /\/(quickjs|engine|allocator)-/.test(path))
    expect(objects).toHaveLength(3)
    for (const object of objects) {
      const sections = execFileSync('readelf', ['-SW', object], { encoding: 'utf8' })
      expect(sections).toMatch(/ \.text\.hot/)
      expect(sections).toMatch(/ \.text\.unlikely/)
    }
    const built = buildProgram(join(repository, 'packages/runtime-cli/dist/engine'), 'crio-lxc.js')
    expect(readFileSync(built).equals(readFileSync(runtime))).toBe(true)
  })

  test('leaves no trace of where the checkout is', () => {
    expect(readFileSync(runtime).includes(repository)).toBe(false)
  })
})
