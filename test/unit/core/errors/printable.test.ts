import { printable } from '@crio-lxc/core/errors/printable'
import { expect, test } from 'vitest'

test.each([
  ['plain, with blanks\tand\nlines', 'plain, with blanks\tand\nlines'],
  ['käse 日本 🙂', 'käse 日本 🙂'],
  ['\u0000\u001b[2J\r\u007f\u009b\u0085', '\\u0000\\u001b[2J\\u000d\\u007f\\u009b\\u0085'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['\u200b\u200f\u202e\u2066\ufeff\u00ad', '\\u200b\\u200f\\u202e\\u2066\\ufeff\\u00ad'],
  ['\u{e0041}', '\\udb40\\udc41'],
])('printable(%j)', (text, expected) => {
  expect(printable(text)).toBe(expected)
  expect(printable(expected)).toBe(expected)
})

test('JSON stays the same value', () => {
  const value = { '\u202ekey': ['\u001b\u009b', 1, null], nested: { '\u2028': '\u{e0041}' } }
  for (const indent of [0, 2]) expect(JSON.parse(printable(JSON.stringify(value, null, indent)))).toEqual(value)
})
