import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { attacks } from './attacks.ts'
import { comparisonTable, type Verdicts } from './comparison.ts'

const document = join(import.meta.dirname, '../../docs/security-comparison.md')
const verdicts = JSON.parse(readFileSync(join(import.meta.dirname, 'verdicts.json'), 'utf8')) as Verdicts

it('docs/security-comparison.md says what was seen (RECORD=1 writes it)', () => {
  const text = readFileSync(document, 'utf8')
  const expected = text.replace(/(?:^\|.*\n)+/m, `${comparisonTable(attacks, verdicts)}\n`)
  if (process.env.RECORD === '1') writeFileSync(document, expected)
  expect(text).toBe(expected)
})

it('nothing in it is a hole of crio-lxc', () => {
  const holes = Object.entries(verdicts).filter(([, row]) => !['refused', 'contained'].includes(row['crio-lxc'] ?? ''))
  expect(holes).toEqual([])
})
