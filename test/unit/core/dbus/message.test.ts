import { Buffer } from 'node:buffer'
import { marshal } from '@crio-lxc/core/dbus/marshal'
import { decodeMessage, encodeMessage, type Message, messageLength } from '@crio-lxc/core/dbus/message'
import { splitSignature, type Value } from '@crio-lxc/core/dbus/signature'
import { unmarshal } from '@crio-lxc/core/dbus/unmarshal'
import { describe, expect, test } from 'vitest'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('splitSignature()', () => {
  test.each([
    ['', []],
    ['ssa(sv)a(sa(sv))', ['s', 's', 'a(sv)', 'a(sa(sv))']],
    ['a{sv}aayu', ['a{sv}', 'aay', 'u']],
  ])('%s', (signature, types) => {
    expect(splitSignature(signature)).toEqual(types)
  })

  test.each(['a', '(s', '(', 'z', 'a{s', 's)', '()', 'a{}'])('refuses %s', (signature) => {
    expect(() => splitSignature(signature)).toThrow(`${JSON.stringify(signature)} is not a D-Bus signature`)
  })
})

describe('marshal() and unmarshal()', () => {
  test.each<[string, Value[], string]>([
    ['y', [7], '07'],
    ['yu', [7, 1], '0700000001000000'],
    ['s', ['foo'], '0300000066 6f6f00'],
    ['yg', [1, 'ai'], '01 0261 6900'],
    ['b', [true], '01000000'],
    ['nq', [-2, 65535], 'feff ffff'],
    ['yt', [1, 2n ** 64n - 1n], '0100000000000000 ffffffffffffffff'],
    ['x', [-1n], 'ffffffffffffffff'],
    ['d', [1.5], '000000000000f83f'],
    ['ai', [[1, -1]], '08000000 01000000 ffffffff'],
    // The length of an array leaves out the padding before its first item.
    ['at', [[5n]], '08000000 00000000 0500000000000000'],
    ['at', [[]], '00000000 00000000'],
    ['v', [{ signature: 'u', value: 8 }], '01 75 00 00 08000000'],
    ['a(sv)', [[['a', { signature: 'b', value: false }]]], '10000000 00000000 01000000 6100 01 6200 000000 00000000'],
    ['a{su}', [[['k', 3]]], '0c000000 00000000 01000000 6b00 0000 03000000'],
    ['ay', [Uint8Array.of(1, 2)], '02000000 0102'],
  ])('%s', (signature, values, expected) => {
    const bytes = marshal(signature, values)
    expect(hex(bytes)).toBe(expected.replaceAll(' ', ''))
    expect(unmarshal(signature, bytes)).toEqual(values)
  })

  test('more than fits into the first buffer', () => {
    const values = [['x'.repeat(5000), 'y'.repeat(5000)]]
    expect(unmarshal('as', marshal('as', values))).toEqual(values)
  })

  test('too few bytes are an error', () => {
    expect(() => unmarshal('s', Buffer.from('10000000', 'hex'))).toThrow('a D-Bus message ends after 4 bytes')
  })

  test('variants of no type, of which an array would have no end, are an error', () => {
    const bytes = Buffer.from('01 61 00 00 08000000 0000000000000000'.replaceAll(' ', ''), 'hex')
    expect(() => unmarshal('v', bytes)).toThrow('"a" is not a D-Bus signature')
    expect(() => unmarshal('v', Buffer.from('0000', 'hex'))).toThrow('a variant of D-Bus has the signature ""')
  })

  test('variants in one another without an end are an error', () => {
    const bytes = Buffer.from('017600'.repeat(100_000), 'hex')
    expect(() => unmarshal('v', bytes)).toThrow('a D-Bus message has more than 64 levels of variants')
  })
})

describe('encodeMessage() and decodeMessage()', () => {
  const hello: Message = {
    type: 'call',
    serial: 1,
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'Hello',
    destination: 'org.freedesktop.DBus',
  }

  test('a call without a body', () => {
    const bytes = encodeMessage(hello)
    // Little-endian, a call, no flags, version 1, no body, serial 1.
    expect(hex(bytes.subarray(0, 12))).toBe('6c0100010000000001000000')
    expect(bytes.length % 8).toBe(0)
    expect(messageLength(bytes)).toBe(bytes.length)
    expect(decodeMessage(bytes)).toEqual({ ...hello, body: [] })
  })

  test('a body keeps its values', () => {
    const signal: Message = {
      type: 'signal',
      serial: 7,
      path: '/org/freedesktop/systemd1',
      interface: 'org.freedesktop.systemd1.Manager',
      member: 'JobRemoved',
      signature: 'uoss',
      body: [12, '/org/freedesktop/systemd1/job/12', 'a.scope', 'done'],
    }
    const bytes = encodeMessage(signal)
    expect(messageLength(Buffer.concat([bytes, Buffer.from('next')]))).toBe(bytes.length)
    expect(decodeMessage(bytes)).toEqual(signal)
  })

  test('the length is known from 16 bytes on', () => {
    expect(messageLength(encodeMessage(hello).subarray(0, 15))).toBeUndefined()
  })

  test.each([
    ['big endian', 0, 0x42],
    ['another version', 3, 2],
    ['too long', 7, 0xff],
    ['of a header that is too long', 15, 0xff],
  ])('refuses %s', (_, at, value) => {
    const bytes = encodeMessage(hello)
    bytes[at] = value
    expect(() => messageLength(bytes)).toThrow('not a little-endian D-Bus message of version 1')
  })
})
