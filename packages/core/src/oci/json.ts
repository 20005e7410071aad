/** JSON as the runtime reads it: nothing is rounded, nothing is ambiguous, and an error says where it is. */
import { decode } from '../abi/bytes.ts'
import { messageOf, OUT_OF_MEMORY, SpecError } from '../errors/runtime-error.ts'
import { findJsonProblem } from './json-problem.ts'

/** Levels of objects and arrays; the spec itself needs eight. */
export const MAX_JSON_DEPTH = 64

/**
 * The value of a JSON text. An integer that is not safe as a number becomes a bigint, a field that is null is left
 * out (what Go's decoder makes of it too), and a field that appears twice in an object is an error: parsers disagree on
 * which of them counts. Throws a SpecError in the name of `file`.
 */
export function parseJson(text: string | Uint8Array, file: string): unknown {
  const source = typeof text === 'string' ? text : decodeUtf8(text, file)
  let value: unknown
  let found: Found
  try {
    value = JSON.parse(source)
    found = tidy(value)
    // Of one with too many levels nothing is left to read.
    if (found.roundable && !Number.isNaN(found.fields)) {
      value = parseExactly(source)
      found = tidy(value)
    }
  } catch (error) {
    if (messageOf(error) === OUT_OF_MEMORY) throw new SpecError(file, 'takes more memory than the runtime may use')
    explain(source, file)
    throw new SpecError(file, `not valid JSON (${messageOf(error).split('\n')[0]})`)
  }
  if (hasUnknownEscape(source) || mayHaveOddNumber(source)) explain(source, file)
  // Every field has a quote and a colon; text inside strings can only add to them, so equal counts prove that
  // JSON.parse overwrote none.
  if (found.fields !== countColons(source)) explain(source, file)
  return value
}

/** The engine takes JavaScript's escapes, `\x0a` for one, which JSON has not. */
function hasUnknownEscape(source: string): boolean {
  for (let at = source.indexOf('\\'); at >= 0; at = source.indexOf('\\', at + 2)) {
    const known = '"\\/bfnrt'.includes(source.charAt(at + 1)) || /^\\u[0-9a-fA-F]{4}$/.test(source.slice(at, at + 6))
    if (!known) return true
  }
  return false
}

/** The engine takes `1.`, `1.e5` and `-01`. True for some texts in strings, too. */
function mayHaveOddNumber(source: string): boolean {
  for (let at = source.indexOf('.'); at >= 0; at = source.indexOf('.', at + 1))
    if (isDigit(source, at - 1) && !isDigit(source, at + 1) && mayBeNumber(source, at)) return true
  for (let at = source.indexOf('-0'); at >= 0; at = source.indexOf('-0', at + 1))
    if (isDigit(source, at + 2) && !/[\w-]/.test(source.charAt(at - 1))) return true
  return false
}

/** Whether the digits before `end` may be a number's: of the names that have some, as `net.ipv4.x` has, a letter is before them. */
function mayBeNumber(source: string, end: number): boolean {
  let at = end
  while (isDigit(source, at - 1)) at -= 1
  return ' \t\n\r:,[-'.includes(source.charAt(at - 1))
}

function isDigit(source: string, at: number): boolean {
  const character = source.charAt(at)
  return character >= '0' && character <= '9'
}

/** How often a quote is followed by a colon. The engine finds a text ten times as fast as a pattern. */
function countColons(source: string): number {
  const spaced = [' :', '\t:', '\n:', '\r:'].some((text) => source.includes(text))
  return spaced ? (source.match(/"\s*:/g)?.length ?? 0) : source.split('":').length - 1
}

/** The text of a file that is to be JSON. Throws a SpecError when it is no UTF-8. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  const decoded = decode(bytes)
  const text = decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded
  // A byte that is no part of UTF-8 is a surrogate without its other half.
  if (!text.isWellFormed()) throw new SpecError(file, 'not valid UTF-8 text')
  return text
}

/** Throws what is wrong with the text, if something is. */
function explain(source: string, file: string): void {
  const found = findJsonProblem(source, MAX_JSON_DEPTH)
  if (found === undefined) return
  const before = source.slice(0, found.offset)
  const line = before.split('\n').length
  const column = found.offset - before.lastIndexOf('\n')
  throw new SpecError(file, `not valid JSON at line ${line}, column ${column}: ${found.problem}`)
}

/** What JSON.parse could round is among these. */
const LONG_INTEGER = /-?\d{16,}/g

/**
 * JSON.parse without its rounding, of a text that it takes: a long integer is parsed as a string that begins with a NUL and
 * "n". What is such a string already gets "s" there, so that nobody can write a number as a string. 20 digits hold every
 * 64-bit integer; a longer one is out of range anyway, and millions of digits take seconds.
 */
function parseExactly(source: string): unknown {
  const parts = source.split('"')
  /** The part with which the present string begins; 0 outside. The engine would take ten times as long for a pattern. */
  let string = 0
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string
    if (string === 0) {
      if (part.length >= 16) parts[index] = markIntegers(part)
      string = index + 1
    } else if (!endsInEscape(part)) {
      const begin = parts[string] as string
      // A key stays what it is.
      if (begin.startsWith('\\u0000') && !/^\s*:/.test(parts[index + 1] ?? ''))
        parts[string] = `\\u0000s${begin.slice(6)}`
      string = 0
    }
  }
  return unmark(JSON.parse(parts.join('"')))
}

/** Of what stands between two strings; digits of a fraction or an exponent, and too many of them, stay. */
function markIntegers(text: string): string {
  return text.replace(LONG_INTEGER, (integer, offset: number) => {
    const [before, after] = [text.charAt(offset - 1), text.charAt(offset + integer.length)]
    const other = integer.replace('-', '').length > 20 || /[\w.+-]/.test(before) || /[\w.]/.test(after)
    return other ? integer : `"\\u0000n${integer}"`
  })
}

const BACKSLASH = 0x5c

/** The quote behind the text belongs to its string. */
function endsInEscape(text: string): boolean {
  let at = text.length
  while (text.charCodeAt(at - 1) === BACKSLASH) at -= 1
  return (text.length - at) % 2 === 1
}

/** The value, with the strings that are marks replaced by what they stand for. */
function unmark(value: unknown): unknown {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? unmarkText(value) : value
  if (typeof value !== 'object' || value === null) return value
  const members = value as Record<string | number, unknown>
  const replace = (name: string | number): void => {
    const member = members[name]
    const meant = unmark(member)
    if (meant !== member) members[name] = meant
  }
  if (Array.isArray(value)) for (let index = 0; index < value.length; index++) replace(index)
  else for (const name of Object.keys(value)) replace(name)
  return value
}

function unmarkText(text: string): string | number | bigint {
  if (text[1] === 's') return `\0${text.slice(2)}`
  const integer = Number(text.slice(2))
  return Number.isSafeInteger(integer) ? integer : BigInt(text.slice(2))
}

interface Found {
  /** NaN when there are too many levels: the caller then looks the text over, and says where. */
  fields: number
  /** There is a number that JSON.parse may have rounded: an integer of 16 digits or more. */
  roundable: boolean
}

/** Removes the fields that are null; what there was. */
function tidy(value: unknown): Found {
  const found = { fields: 0, roundable: false }
  tidyBelow(value, 0, found)
  return found
}

function tidyBelow(value: unknown, depth: number, found: Found): void {
  if (typeof value === 'number' && Math.abs(value) >= 1e15) found.roundable = true
  if (typeof value !== 'object' || value === null) return
  if (depth === MAX_JSON_DEPTH) found.fields = Number.NaN
  else if (Array.isArray(value)) for (const item of value) tidyBelow(item, depth + 1, found)
  else {
    const members = value as Record<string, unknown>
    for (const name of Object.keys(members)) {
      found.fields += 1
      if (members[name] === null) delete members[name]
      else tidyBelow(members[name], depth + 1, found)
    }
  }
}
