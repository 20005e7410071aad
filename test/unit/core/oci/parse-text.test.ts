/** config.json as text: what is no JSON object, and numbers that have more digits than JavaScript keeps. */
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { parseJson } from '@crio-lxc/core/oci/json'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith, thrownBy } from './spec-with.ts'

const parse = (changes: Changes) => parseSpec(JSON.stringify(specWith(changes)))
const parseText = (text: string | Uint8Array) => () => parseSpec(text)

describe('parseSpec() on text that is not a JSON object', () => {
  const json = JSON.stringify(defaultSpec)

  test.each([
    ['an empty file', '', 'config.json: not valid JSON at line 1, column 1: it is empty'],
    ['blanks', ' \n\t', 'config.json: not valid JSON at line 2, column 2: it is empty'],
    ['half a file', '{"a": [1,\n', 'config.json: not valid JSON at line 2, column 1: it ends too early'],
    [
      'a missing value',
      '{"a": 1,\n  "b": }',
      'config.json: not valid JSON at line 2, column 8: expected a value, got "}"',
    ],
    [
      'a trailing comma',
      '{"a": 1,}',
      'config.json: not valid JSON at line 1, column 9: expected a field name in double quotes, got "}"',
    ],
    [
      'a trailing comma in an array',
      '[1,]',
      'config.json: not valid JSON at line 1, column 4: expected a value, got "]"',
    ],
    [
      'a missing comma',
      '{"a": 1 "b": 2}',
      'config.json: not valid JSON at line 1, column 9: expected "," or "}", got "\\""',
    ],
    ['a missing colon', '{"a" 1}', 'config.json: not valid JSON at line 1, column 6: expected ":", got "1"'],
    ['a leading zero', '[01]', 'config.json: not valid JSON at line 1, column 3: expected "," or "]", got "1"'],
    ['a comment', '// x\n{}', 'config.json: not valid JSON at line 1, column 1: expected a value, got "/"'],
    [
      'text behind it',
      '{}\n{}',
      'config.json: not valid JSON at line 2, column 1: expected the end of the file, got "{"',
    ],
    ['an open string', '{"a', 'config.json: not valid JSON at line 1, column 2: a string is not closed'],
    [
      'a raw line break in a string',
      '{"a": "x\ny"}',
      'config.json: not valid JSON at line 1, column 9: a string contains the control character "\\n"',
    ],
    [
      'an unknown escape',
      '["\\x41"]',
      'config.json: not valid JSON at line 1, column 3: a string contains an unknown escape',
    ],
    ['an array', '[]', 'config.json: must be a JSON object'],
    ['a number', '5', 'config.json: must be a JSON object'],
    ['null', 'null', 'config.json: must be a JSON object'],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'config.json: not valid UTF-8 text'],
    [
      'a field that appears twice',
      json.replace('"cwd":"/"', '"cwd":"/",\n"cwd":"/tmp"'),
      'config.json: not valid JSON at line 2, column 1: the field "cwd" appears twice',
    ],
    [
      'a field that appears twice, once escaped',
      json.replace('"cwd":"/"', '"cwd":"/",\n"\\u0063wd":"/tmp"'),
      'config.json: not valid JSON at line 2, column 1: the field "cwd" appears twice',
    ],
    [
      'a field that appears twice, once with a blank before the colon',
      json.replace('"cwd":"/"', '"cwd":"/",\n"cwd"\t:"/tmp"').replace('"PATH', '"A=\\":",\n"PATH'),
      'config.json: not valid JSON at line 3, column 1: the field "cwd" appears twice',
    ],
    [
      '65 levels',
      `{"a":${'['.repeat(64)}${']'.repeat(64)}}`,
      'config.json: not valid JSON at line 1, column 69: nested more than 64 levels deep',
    ],
    [
      'a million levels',
      `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
      'config.json: not valid JSON at line 1, column 69: nested more than 64 levels deep',
    ],
    [
      '60000 levels and a 64-bit integer',
      `{"a":${'['.repeat(6e4)}18446744073709551615${']'.repeat(6e4)}}`,
      'config.json: not valid JSON at line 1, column 69: nested more than 64 levels deep',
    ],
  ])('refuses %s', (_name, text, message) => {
    expect(thrownBy(parseText(text))).toMatchObject({ name: 'SpecError', pointer: 'config.json', message })
  })

  test('takes strings that look like fields for strings', () => {
    const spec = parse({ annotations: { a: '{"cwd": "/"}', b: ':x', c: '": "' } })
    expect(spec.annotations).toEqual({ a: '{"cwd": "/"}', b: ':x', c: '": "' })
  })

  test('reads a byte order mark', () => {
    expect(parseSpec(new TextEncoder().encode(`\ufeff${json}`))).toEqual(defaultSpec)
  })
})

describe('parseSpec() on 64-bit integers', () => {
  const withLimit = (digits: string) =>
    JSON.stringify(defaultSpec).replace('"hard":1024,"soft":1024', `"hard":${digits},"soft":${digits}`)
  const limitOf = (digits: string) => parseSpec(withLimit(digits)).process.rlimits?.[0]?.hard

  test.each<[string, number | bigint]>([
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551614', 2n ** 64n - 2n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ])('keeps %s', (digits, value) => {
    expect(limitOf(digits)).toBe(value)
  })

  test.each([
    ['18446744073709551616', '18446744073709551616'],
    ['-9223372036854775809', '-9223372036854775809'],
    ['1e30', '1e+30'],
    ['1'.repeat(400), 'Infinity'],
    ['12345678901234567890.5', '12345678901234567000'],
  ])('refuses %s as a rlimit', (digits, shown) => {
    expect(thrownBy(() => limitOf(digits))).toMatchObject({
      message: `process.rlimits[0].soft: must be an integer from 0 to 2^64-1, got ${shown}`,
    })
  })

  test('compares limits of different types by value', () => {
    const text = withLimit('1').replace('"soft":1', '"soft":18446744073709551615')
    expect(thrownBy(parseText(text))).toMatchObject({ pointer: 'process.rlimits[0].soft' })
  })

  test('leaves long digits in strings alone', () => {
    const digits = '12345678901234567890'
    const spec = parse({ annotations: { a: digits } })
    expect(spec.annotations).toEqual({ a: digits })
  })

  test('refuses a 64-bit integer where 32 bits are asked for', () => {
    const text = JSON.stringify(defaultSpec).replace('"uid":0', '"uid":18446744073709551615')
    expect(thrownBy(parseText(text))).toMatchObject({
      message: 'process.user.uid: must be an integer from 0 to 4294967294, got 18446744073709551615',
    })
  })

  test('takes no string for an integer, however it is written', () => {
    const texts = [
      '"\\u0000n12345678901234567890"',
      '"\\u0000s1"',
      '"\\\\u0000n1"',
      '"12345678901234567890\\""',
      '"1234567890123456:"',
    ]
    for (const text of texts) {
      const value: unknown = JSON.parse(text)
      expect(parseJson(`{"a": ${text}, "b": 12345678901234567890, "c": [${text}]}`, 'x')).toEqual({
        a: value,
        b: 12345678901234567890n,
        c: [value],
      })
    }
  })

  test.each(['1234567890123456.5', '1e1234567890123456', '12345678901234567e2', '-1234567890123456'])(
    'leaves %s as it is',
    (text) => {
      expect(parseJson(`{"a":${text},"b":[${text}]}`, 'x')).toEqual(JSON.parse(`{"a":${text},"b":[${text}]}`))
    },
  )
})
