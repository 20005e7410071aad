import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { typescript } from '../support/node.ts'
import { exhaustingInput, exhaustingNames } from './exhausting.ts'
import { bundleFuzzer } from './fuzz-engine.ts'
import { outcomeOf } from './fuzz-inputs.ts'

/** npm run fuzz runs longer, from another seed each time. */
const INPUTS = 20_000
const SEED = 1

describe('what the runtime reads', () => {
  // A process of its own: an endless loop or an exhausted heap is then a failure and not the end of the tests.
  it(`${INPUTS} documents end in plans that hold together or in one sentence`, { timeout: 240_000 }, async () => {
    const engine = ['--import', join(import.meta.dirname, '../../packages/core/src/sys/node-engine.ts')]
    const args = [...typescript, ...engine, join(import.meta.dirname, 'fuzz.ts')]
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...args, '--inputs', String(INPUTS), '--seed', String(SEED), '--in-engine', '0'],
      { timeout: 230_000 },
    )
    const [, inputs, accepted, refusals] =
      /^(\d+) inputs .*: (\d+) accepted, (\d+) different refusals$/m.exec(stdout) ?? []
    expect(Number(inputs)).toBe(INPUTS)
    expect(Number(accepted)).toBeGreaterThan(INPUTS / 8)
    expect(Number(refusals)).toBeGreaterThan(300)
  })
})

test('the program that reads them in the engine is one file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-fuzz-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await bundleFuzzer(directory)
  expect(readdirSync(directory)).toEqual(['fuzz.js'])
})

describe('a document made to exhaust the runtime is one sentence, or no problem', () => {
  it.each([...exhaustingNames.entries()])('%i %s', { timeout: 60_000 }, (index) => {
    expect(outcomeOf(exhaustingInput(-1 - index)).defect).toBeUndefined()
  })
})
