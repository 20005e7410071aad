/** Properties that annotations ask for: `org.systemd.property.TimeoutStopUSec: "uint64 5"`, as runc has them. PURE. */
import type { Property, Variant } from '../../../dbus/signature.ts'
import { parseVariantText } from '../../../dbus/variant-text.ts'
import { messageOf, SpecError } from '../../../errors/runtime-error.ts'

const PREFIX = 'org.systemd.property.'

/** Throws SpecError for a name that is none or a value that cannot be read. */
export function planAnnotatedProperties(annotations: Readonly<Record<string, string>> = {}): Property[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (!key.startsWith(PREFIX)) return []
    const name = key.slice(PREFIX.length)
    const field = `annotations[${JSON.stringify(key)}]`
    if (!/^[a-zA-Z]{3,}$/.test(name))
      throw new SpecError(field, `${JSON.stringify(name)} is not the name of a property`)
    try {
      const variant = parseVariantText(value)
      // D-Bus has times in microseconds only; unit files, and people, have seconds.
      return [/[a-z]Sec$/.test(name) ? [name.replace(/Sec$/, 'USec'), microseconds(variant)] : [name, variant]]
    } catch (error) {
      throw new SpecError(field, `use ${JSON.stringify(value)} as a value of systemd: ${messageOf(error)}`)
    }
  })
}

/** As many numbers as `t` holds: what is beyond them begins again at 0. */
const MODULUS = 1n << 64n

function microseconds({ signature, value }: Variant): Variant {
  if (!'nqiuxtd'.includes(signature)) throw new Error('a number of seconds is expected')
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('a number of seconds is expected')
  const exact = typeof value === 'bigint' ? value * 1000000n : BigInt(Math.round(Number(value) * 1e6))
  // The engine's asUintN leaves a small negative number as it is.
  return { signature: 't', value: ((exact % MODULUS) + MODULUS) % MODULUS }
}
