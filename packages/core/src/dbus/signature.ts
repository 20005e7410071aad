/** Type signatures of D-Bus; D-Bus specification, "Type System". PURE. */

/**
 * A value of D-Bus, its type told by a signature beside it: numbers up to 32 bits and doubles are numbers, `x` and `t`
 * bigints, an array or struct an array, an entry of a dictionary a pair, `ay` bytes.
 */
export type Value = number | bigint | boolean | string | Uint8Array | Variant | readonly Value[]

/** `v`: a value that brings its type along. */
export interface Variant {
  /** One complete type. */
  readonly signature: string
  readonly value: Value
}

/** Of an object on the bus, as it is set. */
export type Property = readonly [name: string, value: Variant]

/** `a(ss)u` is `a(ss)` and `u`. Throws Error for what is no signature. */
export function splitSignature(signature: string): string[] {
  const types: string[] = []
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at)
    types.push(signature.slice(at, end))
    at = end
  }
  return types
}

const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}' }

function endOfType(signature: string, at: number): number {
  const code = signature[at] ?? ''
  if (code === 'a') return endOfType(signature, at + 1)
  const close = closing[code]
  if (close !== undefined) {
    let end = at + 1
    while (end < signature.length && signature[end] !== close) end = endOfType(signature, end)
    // A structure has members: an array of nothing would have no end.
    if (end > at + 1 && end < signature.length) return end + 1
  } else if (code !== '' && 'ybnqiuxtdsogv'.includes(code)) return at + 1
  throw new Error(`${JSON.stringify(signature)} is not a D-Bus signature`)
}

/** Bytes whose multiple a value of the type begins at. */
export function alignmentOf(type: string): number {
  if ('ygv'.includes(type[0] ?? '')) return 1
  if ('nq'.includes(type[0] ?? '')) return 2
  return '({xtd'.includes(type[0] ?? '') ? 8 : 4
}

/** Whether two values of one type are equal, member by member. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  const member = (value: object, key: string): unknown => (value as Record<string, unknown>)[key]
  return keys.length === others.length && keys.every((key) => isSameValue(member(a, key), member(b, key)))
}
