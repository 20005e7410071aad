import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { support } from '@crio-lxc/core/oci/support'
import type { Row } from '@crio-lxc/core/oci/walk-fields'
import { expect, test } from 'vitest'
import { coveredFields } from '../../integration/fields/covered-fields.ts'

/** Every field that the table does not refuse or ignore as a whole. */
function supported(rows: Readonly<Record<string, Row>>, path: string): string[] {
  return Object.entries(rows).flatMap(([name, row]) => {
    const at = path === '' ? name : `${path}.${name}`
    if (row === 'supported') return [at]
    if ('fields' in row) return supported(row.fields, at)
    if ('each' in row) return supported(row.each, `${at}[]`)
    return 'values' in row || 'needs' in row ? [at] : []
  })
}

/** `a.{b,c[].{d,e}}` is a.b, a.c[].d and a.c[].e. */
function expand(pattern: string): string[] {
  const inner = /\{([^{}]*)\}/.exec(pattern)
  if (!inner) return [pattern]
  const [group, names = ''] = inner
  return names
    .split(',')
    .flatMap((name) => expand(pattern.slice(0, inner.index) + name + pattern.slice(inner.index + group.length)))
}

test('expand()', () => {
  expect(expand('a.{b,c}[].{d,e}')).toEqual(['a.b[].d', 'a.b[].e', 'a.c[].d', 'a.c[].e'])
})

test('every supported field has a test, and no field that is not supported has one', () => {
  const advice = 'name the test of each supported field in test/integration/fields/covered-fields.ts'
  expect(Object.keys(coveredFields).flatMap(expand).sort(), advice).toEqual(supported({ ...support }, '').sort())
})

test.each(Object.entries(coveredFields))('%s has the test that is named', (_field, [file, title]) => {
  const source = readFileSync(join(import.meta.dirname, '../../integration', `${file}.test.ts`), 'utf8')
  expect(source.includes(title) || source.includes(title.replaceAll("'", "\\'"))).toBe(true)
})
