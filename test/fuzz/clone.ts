import type { Json } from './valid-spec.ts'

/** structuredClone() of what JSON can hold; the engine has none. */
export function clone(value: Json): Json {
  if (Array.isArray(value)) return value.map(clone)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clone(member)]))
}
