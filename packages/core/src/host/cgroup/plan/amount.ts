/** Numbers as the kernel reads them from a cgroup's files. PURE. */

/** No limit, as systemd has it. */
export const UNLIMITED = 2n ** 64n - 1n

const units = ['', 'K', 'M', 'G', 'T', 'P', 'E']

/** A number with a unit where it takes one (memparse), or no limit; undefined for anything else. */
export function amountOf(value: string | undefined): bigint | undefined {
  const text = value?.trim() ?? ''
  if (text === 'max' || text === '-1') return UNLIMITED
  const [, digits, unit = ''] = /^(\d{1,20})([KMGTPE]?)$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const amount = BigInt(digits) << BigInt(10 * units.indexOf(unit.toUpperCase()))
  return amount < UNLIMITED ? amount : UNLIMITED
}
