/** The flags of update as linux.resources and linux.intelRdt. PURE. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import type { Resources } from '@crio-lxc/core/oci/resources'

type Flags = Readonly<Record<string, string | undefined>>

/** An option that is absent or empty leaves its limit as it is, as runc's do. Throws RuntimeError `usage`. */
export function resourcesOfFlags(flags: Flags): Resources {
  const whole = (name: string): number | bigint | undefined => ifGiven(flags[name], (text) => integer(name, text))
  const bytes = (name: string): number | bigint | undefined => ifGiven(flags[name], (text) => parseBytes(name, text))
  const natural = (name: string): number | bigint | undefined => {
    const value = whole(name)
    if (value !== undefined && value < 0) throw invalid(name, `${value}`, 'a number that is not negative')
    return value
  }
  const weight = natural('blkio-weight')
  return {
    memory: given({
      limit: bytes('memory'),
      reservation: bytes('memory-reservation'),
      swap: bytes('memory-swap'),
      kernelTCP: bytes('kernel-memory-tcp'),
    }),
    cpu: given({
      shares: natural('cpu-share'),
      quota: whole('cpu-quota'),
      period: natural('cpu-period'),
      burst: natural('cpu-burst'),
      realtimeRuntime: whole('cpu-rt-runtime'),
      realtimePeriod: natural('cpu-rt-period'),
      idle: whole('cpu-idle'),
      cpus: flags['cpuset-cpus'],
      mems: flags['cpuset-mems'],
    }),
    pids: given({ limit: whole('pids-limit') }),
    blockIO: given({ weight: weight === undefined ? undefined : Number(weight) }),
  }
}

/** The schemata of the flags; undefined when there are none. */
export function intelRdtOfFlags(flags: Flags): IntelRdt | undefined {
  const { 'l3-cache-schema': l3CacheSchema, 'mem-bw-schema': memBwSchema } = flags
  return l3CacheSchema || memBwSchema ? given({ l3CacheSchema, memBwSchema }) : undefined
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}

function ifGiven<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text ? parse(text) : undefined
}

function integer(name: string, text: string): number | bigint {
  if (!/^-?\d{1,19}$/.test(text) || !isInt64(BigInt(text))) throw invalid(name, text, 'an integer')
  return exact(BigInt(text))
}

const units = 'bkmgtp'

/** `64M`, `64mb`, `64MiB`, `1.5g`, `67108864` or -1: units of 1024, as Go's RAMInBytes reads them. */
function parseBytes(name: string, text: string): number | bigint {
  if (text === '-1') return -1
  const [, number = '', unit = 'b'] = /^(\d{1,20}(?:\.\d{1,20})?) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text) ?? []
  if (number === '') throw invalid(name, text, 'bytes such as 67108864, 64M or -1')
  const factor = 1024n ** BigInt(units.indexOf(unit.toLowerCase()))
  const count = number.includes('.') ? BigInt(Math.floor(Number(number) * Number(factor))) : BigInt(number) * factor
  if (!isInt64(count)) throw invalid(name, text, 'less than 8 EiB')
  return exact(count)
}

/** The kernel takes what is left of a larger one. */
function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

function exact(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value ? Number(value) : value
}

function invalid(name: string, text: string, wanted: string): RuntimeError {
  return new RuntimeError('usage', `invalid --${name} ${JSON.stringify(text)}: want ${wanted}`)
}
