/** A transient unit in words, for `debug plan`. PURE. */
import type { Property, Variant } from '../../../dbus/signature.ts'
import type { Scope } from './scope.ts'

export interface PrintedUnit {
  readonly name: string
  /** `TasksMax = t 20`: name, type of D-Bus, value. */
  readonly properties: string[]
}

export function printUnit({ unit }: Scope, properties: readonly Property[]): PrintedUnit {
  return { name: unit, properties: properties.map(([name, variant]) => `${name} = ${printed(variant)}`) }
}

function printed({ signature, value }: Variant): string {
  const text = JSON.stringify(value instanceof Uint8Array ? [...value] : value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  )
  return `${signature} ${typeof value === 'bigint' ? value : text}`
}
