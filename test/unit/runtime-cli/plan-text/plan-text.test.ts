import { describe, expect, test } from 'vitest'
import { diffLines } from '../../../../packages/runtime-cli/src/plan-text/diff-lines.ts'
import { sectionDiff, sectionText, Table } from '../../../../packages/runtime-cli/src/plan-text/sections.ts'

const lines = (text: string): string[] => text.split('')

describe('diffLines()', () => {
  test.each([
    ['abc', 'abc', ''],
    ['abc', '', '-a -b -c'],
    ['', 'ab', '+a +b'],
    ['abc', 'axc', '-b +x'],
    ['abcabba', 'cbabac', '-a -b  c +b  a  b -b  a +c'],
    ['abcdef', 'bcdefg', '-a  b  c  d  e  f +g'],
    ['xaaaay', 'zaaaaw', '-x +z  a  a  a  a -y +w'],
  ])('of %j and %j', (before, after, expected) => {
    const found = diffLines(lines(before), lines(after), 9).map((line) => line.replace(' ', ''))
    const wanted = expected
      .split(/ (?=[ +-])/)
      .map((line) => line.trim())
      .filter(Boolean)
    expect(found.filter((line) => /^[+-]/.test(line)).length).toBe(wanted.filter((line) => /^[+-]/.test(line)).length)
    expect(rebuilt(found, '-')).toBe(expected ? before : '')
    expect(rebuilt(found, '+')).toBe(expected ? after : '')
  })

  /** What the lines without those of the other side are. */
  function rebuilt(diff: readonly string[], sign: string): string {
    return diff
      .filter((line) => !/^[+-]/.test(line) || line.startsWith(sign))
      .map((line) => line.at(-1))
      .join('')
  }

  test('shows what is around, and that something is left out', () => {
    expect(diffLines(lines('abcdefgh'), lines('axcdefyh'), 1)).toEqual([
      '  a',
      '- b',
      '+ x',
      '  c',
      '@@',
      '  f',
      '- g',
      '+ y',
      '  h',
    ])
  })

  test('gives up on lists that have nothing in common, in time', () => {
    const [a, b] = ['a', 'b'].map((name) => Array.from({ length: 20_000 }, (_, index) => `${name}${index}`))
    expect(diffLines(a as string[], b as string[], 3)).toHaveLength(40_000)
  })
})

describe('sections', () => {
  const table = (...rows: string[][]) => [{ title: 'mounts', lines: new Table(rows) }]

  test('align the cells of a table, and leave out what is empty', () => {
    const sections = [...table(['a', 'bb', 'c'], ['aaa', 'b', '']), { title: 'hooks', lines: [] }]
    expect(sectionText(sections)).toBe('# mounts\na    bb  c\naaa  b\n')
  })

  test('differ in the rows that differ, whatever the widths are', () => {
    expect(sectionDiff(table(['a', 'b']), table(['a', 'b'], ['aaaa', 'b']), 0)).toBe('# mounts\n+ aaaa  b\n')
    expect(sectionDiff(table(['a', 'b']), table(['a', 'b']), 3)).toBe('')
  })

  test('differ as a whole when one plan has none of a title', () => {
    expect(sectionDiff([], [{ title: 'hooks', lines: ['x'] }], 3)).toBe('# hooks\n+ x\n')
  })
})
