/** JSON as the runtime reads it: nothing is rounded, nothing is ambiguous, and an error says where it is. */
import { SpecError } from '../errors/runtime-error.ts'
import { findJsonProblem } from './json-problem.ts'

/** Levels of objects and arrays; the spec itself needs eight. */
export const MAX_JSON_DEPTH = 64

/** Above this many characters the text is looked over first: a hostile one could cost gigabytes once parsed. */
const LOOK_FIRST = 1 << 20

/**
 * The value of a JSON text. An integer that is not safe as a number becomes a bigint, a field that is null is left
 * out (what Go's decoder makes of it too), and a field that appears twice in an object is an error: parsers disagree on
 * which of them counts. Throws a SpecError in the name of `file`.
 */
export function parseJson(text: string | Uint8Array, file: string): unknown {
  const source = typeof text === 'string' ? text : decode(text, file)
  if (source.length > LOOK_FIRST) explain(source, file)
  let value: unknown
  try {
    value = /\d{16}/.test(source) ? JSON.parse(source, exactInteger) : JSON.parse(source)
  } catch (error) {
    explain(source, file)
    throw new SpecError(file, `not valid JSON (${error instanceof Error ? error.message.split('\n')[0] : error})`)
  }
  const fields = tidy(value, 0)
  // Every field has a quote and a colon; text inside strings can only add to them, so equal counts prove that
  // JSON.parse overwrote none.
  if (fields !== (source.match(/"\s*:/g)?.length ?? 0)) explain(source, file)
  return value
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SpecError(file, 'not valid UTF-8 text')
  }
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

/** Reviver: JSON.parse has rounded the number already, its source text has not (ECMAScript 2026, Node 21, Bun 1.3). */
function exactInteger(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const digits = context?.source
  if (digits === undefined) throw new Error('this JavaScript engine cannot read 64-bit integers exactly')
  // 20 digits hold every 64-bit integer; a longer number is out of range anyway, and millions of digits take seconds.
  return /^-?\d{1,20}$/.test(digits) ? BigInt(digits) : value
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
