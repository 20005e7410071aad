/** From a valid spec to a hostile one: changes of the document, and of its text. */
import { concat, encode } from '@crio-lxc/core/abi/bytes'
import { clone } from './clone.ts'
import type { Random } from './random.ts'
import { raw } from './raw-json.ts'
import type { Json } from './valid-spec.ts'

/** What would become a directive of liblxc if the text of a value reached its config. */
const directive = '\nlxc.hook.pre-start = /usr/bin/touch /tmp/canary\n'

const numbers = [
  ...[
    -1,
    0,
    1,
    0.5,
    -0.5,
    127,
    255,
    256,
    511,
    512,
    4095,
    4096,
    65535,
    65536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
  ],
  ...[2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e300, Number.MIN_VALUE],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'].map(raw),
  ...['18446744073709551615', '18446744073709551616', '1e400', '-1e400', '-0', '1E3', '0.1e2', '9'.repeat(400)].map(
    raw,
  ),
]

const strings = [
  '',
  ' ',
  '/',
  '.',
  '..',
  '//',
  '/../../../..',
  '/proc/self/fd/7',
  '/proc/self/exe',
  '\0',
  '/x\0y',
  '\r',
  `/x${directive}`,
  `x${directive}`,
  '\x1b]0;title\x07',
  '\x7f',
  '\u009b31m',
  '\u2028',
  '\u202e',
  '\ud800',
  '\udc00x',
  '\ufeff',
  'x'.repeat(256),
  'x'.repeat(4095),
  `/${'x'.repeat(4094)}`,
  `/${'x'.repeat(4095)}`,
  'ä'.repeat(3000),
  '/a'.repeat(2040),
  'x'.repeat(70_000),
  '%s%n',
  '$HOME',
  'nan',
  '-1',
  '0x10',
  'constructor',
  '__proto__',
]

const keys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  'x',
  '0',
  'a\nb',
  '\0',
  'k'.repeat(5000),
]

const values = (random: Random): Json =>
  random.pick([
    () => null,
    () => true,
    () => false,
    () => [],
    () => ({}),
    () => [[]],
    () => [null],
    () => JSON.parse('{"__proto__": {"path": "/x"}, "constructor": 1, "toString": "x"}'),
    () => raw(`${'['.repeat(random.pick([10, 70, 5000]))}${']'.repeat(random.pick([10, 70, 5000]))}`),
    () => Array.from({ length: random.pick([10, 300]) }, () => random.pick([{}, 'x', 1, null])),
    () => random.pick(numbers),
    () => random.pick(numbers),
    () => random.pick(strings),
    () => random.pick(strings),
  ])()

/** Every object or array of the document with the name of one of its members. */
function places(value: Json, found: [Json, string][] = []): [Json, string][] {
  if (typeof value !== 'object' || value === null) return found
  for (const name of Object.keys(value)) {
    found.push([value, name])
    places(value[name], found)
  }
  return found
}

/** Changes the document at one place. */
export function mutateDocument(document: Json, random: Random): void {
  const all = places(document)
  const [holder, name] = random.pick(all) ?? [document, 'x']
  const old = holder[name]
  const [from, other] = random.pick(all) ?? [document, 'x']
  random.pick([
    () => delete holder[name],
    () => put(holder, name, values(random)),
    () => put(holder, name, values(random)),
    () => put(holder, name, clone(from[other])),
    () => put(holder, random.pick(keys), clone(old)),
    () => {
      if (typeof old === 'string')
        put(holder, name, random.once(2) ? old + random.pick(strings) : random.pick(strings) + old)
      else if (typeof old === 'number') put(holder, name, random.pick(numbers))
      else if (Array.isArray(old)) old.push(...clone(old), values(random))
      else if (typeof old === 'object' && old !== null) put(old, random.pick(keys), values(random))
    },
    () => {
      if (Array.isArray(old))
        put(
          holder,
          name,
          Array.from({ length: random.pick([3, 500]) }, () => clone(old[0])),
        )
    },
  ])()
}

/** As JSON.parse does it: `__proto__` is a name like any other. */
function put(holder: Json, name: string, value: Json): void {
  if (Array.isArray(holder) && !/^\d+$/.test(name)) return
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true })
}

const pieces = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u0000',
  '\\ud800',
  '\n',
  '\0',
  '1e9',
  '18446744073709551615',
  'null',
  '/*',
  "'",
  '\ufeff',
]

/** Changes the text at one place: what is no JSON, a name twice, bytes that are no UTF-8. */
export function mutateText(text: string, random: Random): string | Uint8Array {
  const at = random.below(text.length + 1)
  return random.pick([
    () => text.slice(0, at),
    () => text.slice(0, at) + random.pick(pieces) + text.slice(at + random.below(3)),
    () => text.slice(0, at) + text.slice(at + random.below(50)),
    () => twice(text, random),
    () => text + random.pick(['\n', ' ', '{}', '\0', text]),
    () => `\ufeff${text}`,
    () => spoilBytes(encode(text), random),
  ])()
}

/** Changes what is no text: bytes, its length, a part of it twice. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1)
  return random.pick([
    () => bytes.subarray(0, at),
    () => concat(bytes.subarray(0, at), bytes.subarray(random.below(at + 1))),
    () => concat(bytes, new Uint8Array(random.pick([1, 7, 300]))),
    () => spoilBytes(bytes.slice(), random),
    () => spoilBytes(bytes.slice(), random),
  ])()
}

/** One name twice in its object. */
function twice(text: string, random: Random): string {
  const fields = [...text.matchAll(/([{,])("(?:[^"\\]|\\.)*":)/g)]
  const field = random.pick(fields)
  if (!field) return text
  const at = field.index + 1
  return `${text.slice(0, at)}${field[2]}${random.pick(['null', '1', '"x"', '{}'])},${text.slice(at)}`
}

function spoilBytes(bytes: Uint8Array, random: Random): Uint8Array {
  for (let changes = random.below(4); changes >= 0; changes--)
    bytes[random.below(bytes.length)] = random.pick([0x80, 0xff, 0xc0, 0xed, 0x00, random.below(256)])
  return bytes
}
