/**
 * Whether a value is of a type of src/oci, as the tables of generated/config-types.js describe them. Tables and not a function
 * for each type, because every create reads all of them: they are a tenth of the code that the functions would be. PURE.
 */

export type Type =
  | 'string'
  | 'boolean'
  | { readonly words: readonly string[] }
  | { readonly integer: readonly [least: number, most: number] }
  | { readonly int64: 'signed' | 'unsigned' }
  | { readonly items: Type }
  /** A map, by the type of its values. */
  | { readonly values: Type }
  | ObjectType

export interface ObjectType {
  readonly fields: Readonly<Record<string, Type>>
  readonly required?: readonly string[]
}

/** The first thing that is wrong. */
export interface TypeProblem {
  /** Names and indices from the document to the value. */
  readonly at: string[]
  /** What belongs there, or the name of a field that is missing in it. */
  readonly wanted?: string
  readonly missing?: string
}

/** undefined when nothing is wrong. */
export function checkType(type: Type, value: unknown): TypeProblem | undefined {
  if (!isOf(type, value)) return { at: [], wanted: describeType(type) }
  if (typeof type === 'string') return undefined
  if ('items' in type) return checkItems(type.items, value as unknown[])
  if ('fields' in type) return checkFields(type, value as Record<string, unknown>)
  return 'values' in type ? checkValues(type.values, value as Record<string, unknown>) : undefined
}

function isOf(type: Type, value: unknown): boolean {
  if (typeof type === 'string') return typeof value === type
  if ('fields' in type || 'values' in type) return typeof value === 'object' && value !== null && !Array.isArray(value)
  if ('items' in type) return Array.isArray(value)
  if ('words' in type) return type.words.includes(value as string)
  if ('integer' in type) return Number.isInteger(value) && isBetween(value as number, type.integer)
  if (typeof value === 'bigint') return isBetween(value, int64[type.int64])
  return Number.isSafeInteger(value) && (type.int64 === 'signed' || (value as number) >= 0)
}

const int64 = { signed: [-(2n ** 63n), 2n ** 63n - 1n], unsigned: [0n, 2n ** 64n - 1n] } as const

function isBetween<Value extends number | bigint>(value: Value, [least, most]: readonly [Value, Value]): boolean {
  return value >= least && value <= most
}

function checkFields(
  { fields, required = [] }: ObjectType,
  value: Readonly<Record<string, unknown>>,
): TypeProblem | undefined {
  for (const name of required) if (value[name] === undefined) return { at: [], missing: name }
  for (const name in fields) {
    const field = value[name]
    const problem = field === undefined ? undefined : checkType(fields[name] as Type, field)
    if (problem) return below(name, problem)
  }
  return undefined
}

function checkValues(type: Type, value: Readonly<Record<string, unknown>>): TypeProblem | undefined {
  for (const name of Object.keys(value)) {
    const problem = checkType(type, value[name])
    if (problem) return below(name, problem)
  }
  return undefined
}

function checkItems(type: Type, items: readonly unknown[]): TypeProblem | undefined {
  for (let index = 0; index < items.length; index++) {
    const problem = checkType(type, items[index])
    if (problem) return below(String(index), problem)
  }
  return undefined
}

function below(name: string, problem: TypeProblem): TypeProblem {
  problem.at.unshift(name)
  return problem
}

function describeType(type: Type): string {
  if (typeof type === 'string') return `a ${type}`
  if ('words' in type)
    return `${type.words.length > 1 ? 'one of ' : ''}${type.words.map((word) => JSON.stringify(word)).join(', ')}`
  if ('integer' in type) return `an integer from ${type.integer[0]} to ${type.integer[1]}`
  if ('int64' in type) return `an integer from ${type.int64 === 'signed' ? '-2^63 to 2^63-1' : '0 to 2^64-1'}`
  if ('items' in type) return `an array of ${kindOf(type.items)}s`
  return 'values' in type ? `an object of ${kindOf(type.values)}s` : 'an object'
}

function kindOf(type: Type): string {
  if (typeof type === 'string') return type
  if ('words' in type) return 'string'
  if ('items' in type) return 'array'
  return 'integer' in type || 'int64' in type ? 'integer' : 'object'
}
