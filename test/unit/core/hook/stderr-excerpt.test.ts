import { StderrExcerpt } from '@crio-lxc/core/hook/stderr-excerpt'
import { describe, expect, test } from 'vitest'

function clauseOf(...chunks: string[]): string {
  const excerpt = new StderrExcerpt()
  for (const chunk of chunks) excerpt.add(Buffer.from(chunk))
  return excerpt.clause()
}

describe('StderrExcerpt', () => {
  test.each<[string, string[], string]>([
    ['nothing', [], ''],
    ['blank lines', ['\n \n\t\n'], ''],
    ['one line', ['it broke\n'], ': it broke'],
    ['one line in pieces', ['it', ' bro', 'ke'], ': it broke'],
    ['two lines', ['first\nlast\n'], ': first … last'],
    ['the same line twice', ['again\nagain\n'], ': again'],
    ['a traceback', ['Traceback:\n  File "x"\nKeyError: 1\n'], ': Traceback: … KeyError: 1'],
    ['control characters', ['\x1b[31mred\x07\r\nlast\0line'], ': [31mred … last line'],
    ['bytes that are no UTF-8', ['ok \ud800'], ': ok \ufffd'],
  ])('%s', (_, chunks, clause) => {
    expect(clauseOf(...chunks)).toBe(clause)
  })

  test('keeps both ends of megabytes, and cuts lines', () => {
    const clause = clauseOf('the beginning\n', ...Array<string>(100).fill('x'.repeat(65536)), '\nthe end\n')
    expect(clause).toBe(': the beginning … the end')
    expect(clauseOf('y'.repeat(5000))).toBe(`: ${'y'.repeat(300)}`)
  })
})
