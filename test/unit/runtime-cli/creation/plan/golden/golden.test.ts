/**
 * The plans of a dozen documents as text: that of the default document whole, the others as what differs from it.
 * `RECORD=1 npx vitest run --config test/vitest.config.ts --project unit golden` writes what is then reviewed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { goldenDiff, goldenText } from './golden-text.ts'
import { type Golden, goldens } from './specs.ts'

const fileOf = (name: string): string => join(import.meta.dirname, `${name}.txt`)

describe('what is planned is what was reviewed', () => {
  test.each(Object.entries(goldens))('for %s', (name, golden) => {
    const { default: other } = goldens
    const text = golden === other ? goldenText(golden) : goldenDiff(other as Golden, golden)
    if (process.env['RECORD']) writeFileSync(fileOf(name), text)
    expect(text).toBe(readFileSync(fileOf(name), 'utf8'))
  })
})

test('no file is left of a document that is gone', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'))
  expect(files.sort()).toEqual(
    Object.keys(goldens)
      .map((name) => `${name}.txt`)
      .sort(),
  )
})
