import type { Variant } from '@crio-lxc/core/dbus/signature'
import { parseVariantText } from '@crio-lxc/core/dbus/variant-text'
import { describe, expect, test } from 'vitest'

describe('parseVariantText()', () => {
  test.each<[string, Variant]>([
    ['true', { signature: 'b', value: true }],
    [' false ', { signature: 'b', value: false }],
    ["'inactive-or-failed'", { signature: 's', value: 'inactive-or-failed' }],
    ['"it\'s\\n\\u00e4\\""', { signature: 's', value: 'it\'s\nä"' }],
    ['-7', { signature: 'i', value: -7 }],
    ['0x10', { signature: 'i', value: 16 }],
    ['1.5', { signature: 'd', value: 1.5 }],
    ['-inf', { signature: 'd', value: Number.NEGATIVE_INFINITY }],
    ['double 3', { signature: 'd', value: 3 }],
    ['uint64 18446744073709551615', { signature: 't', value: 2n ** 64n - 1n }],
    ['@t 5', { signature: 't', value: 5n }],
    ['byte 0xff', { signature: 'y', value: 255 }],
    ["objectpath '/a/b'", { signature: 'o', value: '/a/b' }],
    ["['a.service', 'b.service',]", { signature: 'as', value: ['a.service', 'b.service'] }],
    ['@as []', { signature: 'as', value: [] }],
    ['[byte 1, 2]', { signature: 'ay', value: Uint8Array.of(1, 2) }],
    ['[uint32 1, 2]', { signature: 'au', value: [1, 2] }],
    ['[[1], [2, 3]]', { signature: 'aai', value: [[1], [2, 3]] }],
    ["{'k': <true>}", { signature: 'a{sv}', value: [['k', { signature: 'b', value: true }]] }],
    ["[('/dev/null', 'rw')]", { signature: 'a(ss)', value: [['/dev/null', 'rw']] }],
    ["@(st) ('a', 1)", { signature: '(st)', value: ['a', 1n] }],
    ['()', { signature: '()', value: [] }],
  ])('%s', (text, expected) => {
    expect(parseVariantText(text)).toEqual(expected)
  })

  test.each([
    ['', 'it ends too early'],
    ['nonsense', 'nonsense is no type'],
    ['1 2', '"2" follows the value'],
    ['[1, true]', 'a value of the type b is not of the type i'],
    ['[]', 'an empty array needs a type'],
    ['{}', 'an empty dictionary needs a type'],
    ["{'a' 1}", 'a key needs a colon'],
    ['[1', 'a comma or ] expected, found the end'],
    ['uint16 65536', '65536 is out of the range of the type q'],
    ['-1x', '-1x is no number'],
    ['uint32 1.5', '1.5 is not of the type u'],
    ['<1', '> expected'],
    ["'open", 'a value expected'],
    ['"\\UFFFFFFFF"', '\\UFFFFFFFF is no character'],
    ['string 1', '1 is not of the type s'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseVariantText(text)).toThrow(problem)
  })

  test.each([
    { what: 'digits', text: `uint64 ${'9'.repeat(1_000_000)}`, problem: 'is out of the range of the type t' },
    { what: 'zeros', text: `-${'0'.repeat(100)}1`, problem: 'is out of the range of the type i' },
    { what: 'brackets', text: '['.repeat(1_000_000), problem: 'it is nested more than 64 levels deep' },
    { what: 'types', text: 'string '.repeat(1_000_000), problem: 'it is nested more than 64 levels deep' },
    { what: 'escapes', text: `'${'\\"'.repeat(1_000_000)}`, problem: 'a value expected' },
  ])('refuses $what without an end', ({ text, problem }) => {
    expect(() => parseVariantText(text)).toThrow(problem)
  })
})
