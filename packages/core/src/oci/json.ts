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
  try {
    value = /\d{16}/.test(source) ? parseExactly(source) : JSON.parse(source)
  } catch (error) {
    if (messageOf(error) === OUT_OF_MEMORY) throw new SpecError(file, 'takes more memory than the runtime may use')
    explain(source, file)
    throw new SpecError(file, `not valid JSON (${messageOf(error).split('\n')[0]})`)
  }
  const fields = tidy(value, 0)
  // Every field has a quote and a colon; text inside strings can only add to them, so equal counts prove that
  // JSON.parse overwrote none.
  if (fields !== (source.match(/"\s*:/g)?.length ?? 0)) explain(source, file)
  return value
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  const text = decode(bytes).replace(/^\ufeff/, '')
  // A byte that is no part of UTF-8 is a surrogate without its other half.
  if (/[\ud800-\udfff]/u.test(text)) throw new SpecError(file, 'not valid UTF-8 text')
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

/**
 * A string, and an integer that JSON.parse could round; nothing else has 16 digits outside a string. One that is not closed
 * ends with the text: it would be looked for again from every quote in it.
 */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|(?<![\w.+-])-?\d{16,20}(?![\w.])/gs

/**
 * JSON.parse without its rounding: a long integer is parsed as a string that begins with a NUL and "n". What is such a
 * string already gets "s" there, so that nobody can write a number as a string. 20 digits hold every 64-bit integer; a
 * longer one is out of range anyway, and millions of digits take seconds.
 */
function parseExactly(source: string): unknown {
  const marked = source.replace(STRING_OR_LONG_INTEGER, (token, offset: number) => {
    if (token[0] !== '"') return `"\\u0000n${token}"`
    if (!token.includes('\\') || isKey(source, offset + token.length)) return token
    const text: unknown = JSON.parse(token)
    return typeof text === 'string' && text.startsWith('\0') ? JSON.stringify(`\0s${text.slice(1)}`) : token
  })
  return JSON.parse(marked, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith('\0')) return value
    if (value[1] === 's') return `\0${value.slice(2)}`
    const integer = Number(value.slice(2))
    return Number.isSafeInteger(integer) ? integer : BigInt(value.slice(2))
  })
}

/** A key is never revived. */
function isKey(source: string, end: number): boolean {
  const colon = /\s*:/y
  colon.lastIndex = end
  return colon.test(source)
}

/** Removes the fields that are null; the number of fields there were. */
function tidy(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  // The text is looked over by the caller, who then says where.
  if (depth === MAX_JSON_DEPTH) return Number.NaN
  let fields = 0
  if (Array.isArray(value)) {
    for (const item of value) fields += tidy(item, depth + 1)
    return fields
  }
  const members = value as Record<string, unknown>
  for (const name of Object.keys(members)) {
    fields += 1
    if (members[name] === null) delete members[name]
    else fields += tidy(members[name], depth + 1)
  }
  return fields
}
