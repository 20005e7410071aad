import { concat, decode, encode, Struct, structOf } from '@crio-lxc/core/abi/bytes'
import { describe, expect, test } from 'vitest'

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)

describe('encode() and decode()', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('a é € 😀')],
    ['every byte', all],
    ['a character that ends early', Uint8Array.of(0xe2, 0x82, 0x41)],
    ['a surrogate in UTF-8', Uint8Array.of(0xed, 0xb2, 0x80)],
    ['an overlong slash', Uint8Array.of(0xc0, 0xaf)],
    ['more than Unicode has', Uint8Array.of(0xf4, 0x90, 0x80, 0x80)],
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)],
  ])('keep %s', (_name, bytes) => {
    expect([...encode(decode(bytes))]).toEqual([...bytes])
  })

  test('tell a byte that is no part of UTF-8', () => {
    expect(decode(Uint8Array.of(0x61, 0xff))).toBe('a\udcff')
  })
})

test('a Struct has little-endian fields', () => {
  const struct = new Struct(24)
    .set16(0, -2)
    .set32(4, 0xfffffffe)
    .set64(8, -1)
    .set64(16, 2n ** 63n)
  expect([struct.u16(0), struct.i16(0)]).toEqual([0xfffe, -2])
  expect([struct.u32(4), struct.i32(4)]).toEqual([0xfffffffe, -2])
  expect([struct.i64(8), struct.u64(8), struct.u64(16)]).toEqual([-1n, 2n ** 64n - 1n, 2n ** 63n])
  expect(structOf(struct.subarray(4, 8)).u32(0)).toBe(0xfffffffe)
})

test('concat()', () => {
  expect([...concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))]).toEqual([1, 2, 3])
})
