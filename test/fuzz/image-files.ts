/** Files of an image and values of an annotation, near to what their readers look for. */
import { concat, encode, Struct } from '@crio-lxc/core/abi/bytes'
import type { Random } from './random.ts'
import { text } from './valid-spec.ts'

/** A script, or an ELF file of either width with a loader or without. */
export function programFile(random: Random): Uint8Array {
  if (random.once(2))
    return encode(`${random.pick(['', '\ufeff'])}#!${random.pick(['', ' ', '\t'])}/bin/sh${text(random)}\n`)
  const wide = random.once(2)
  const head = new Struct(64)
  head.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1])
  head.set16(18, random.pick([3, 62, 183, 999]))
  const [size, table] = wide ? [56, 64] : [32, 52]
  if (wide) head.set64(32, table).set16(54, size).set16(56, random.below(4))
  else head.set32(28, table).set16(42, size).set16(44, random.below(4))
  const segment = new Struct(size).set32(0, random.pick([1, 3]))
  const interpreter = encode('/lib/ld.so\0')
  if (wide) segment.set64(8, table + size).set64(32, interpreter.length)
  else segment.set32(4, table + size).set32(16, interpreter.length)
  return concat(head.subarray(0, table), segment, interpreter)
}

const values = [
  '7',
  '-0x10',
  '1.5',
  'inf',
  'nan',
  '-inf',
  '1e999',
  'true',
  "'text'",
  '"\\u0041\\U0001f600\\n"',
  '"\\UFFFFFFFF"',
  '"\\ud800"',
  'uint64 18446744073709551615',
  'int64 -9223372036854775808',
  'byte 255',
  '@as []',
  "{'k': <1>}",
  "('a', 1)",
  '@a{sv} {}',
  'objectpath "/a"',
  "signature 'a{sv}'",
  '@() ()',
  '@ay [1, 2]',
]

/** The text format of GVariant, values in one another. */
export function variantText(random: Random): string {
  const value = random.pick(values)
  if (!random.once(3)) return value
  const inner = variantText(random)
  return random.pick([
    `[${inner}, ${inner}]`,
    `<${inner}>`,
    `(${inner}, ${value})`,
    `{${value}: ${inner}}`,
    `${value}${inner}`,
  ])
}
