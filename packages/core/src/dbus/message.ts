/** Messages of D-Bus; D-Bus specification, "Message Protocol". PURE. */

import { concat, structOf } from '../abi/bytes.ts'
import { marshal } from './marshal.ts'
import type { Value, Variant } from './signature.ts'
import { unmarshal } from './unmarshal.ts'

export interface Message {
  readonly type: keyof typeof typeCode
  /** Not 0; replies name it. */
  readonly serial: number
  readonly path?: string
  readonly interface?: string
  readonly member?: string
  readonly errorName?: string
  readonly replySerial?: number
  readonly destination?: string
  readonly sender?: string
  /** The types of `body`; absent: there is none. */
  readonly signature?: string
  readonly body?: readonly Value[]
}

const typeCode = { call: 1, reply: 2, error: 3, signal: 4 } as const
type MessageType = keyof typeof typeCode

/** "Header Fields": the number of each and its type. */
const fields = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  errorName: [4, 's'],
  replySerial: [5, 'u'],
  destination: [6, 's'],
  sender: [7, 's'],
  signature: [8, 'g'],
} as const satisfies Partial<Record<keyof Message, readonly [number, string]>>

const LITTLE_ENDIAN = 0x6c
const VERSION = 1
/** Up to and with the length of the header fields. */
const FIXED_BYTES = 16
const HEADER = 'yyyyuua(yv)'
const MAX_BYTES = 1 << 27

export function encodeMessage(message: Message): Uint8Array {
  const body = marshal(message.signature ?? '', message.body ?? [])
  const entries = Object.entries(fields).flatMap(([name, [code, signature]]) => {
    const value = message[name as keyof typeof fields]
    return value === undefined ? [] : [[code, { signature, value }] as const]
  })
  const head = [LITTLE_ENDIAN, typeCode[message.type], 0, VERSION, body.length, message.serial, entries]
  const header = marshal(HEADER, head)
  return concat(header, new Uint8Array(align(header.length) - header.length), body)
}

/** How many bytes the message has that `bytes` begin with; undefined: too few of them to tell. Throws Error. */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined
  const head = structOf(bytes)
  const length = align(FIXED_BYTES + head.u32(12)) + head.u32(4)
  if (bytes[0] !== LITTLE_ENDIAN || bytes[3] !== VERSION || length > MAX_BYTES)
    throw new Error('what the bus sent is not a little-endian D-Bus message of version 1')
  return length
}

/** `bytes` are one whole message. Throws Error when they are not. */
export function decodeMessage(bytes: Uint8Array): Message {
  const [, code, , , bodyLength, serial, entries] = unmarshal(HEADER, bytes)
  const type = (Object.keys(typeCode) as MessageType[]).find((name) => typeCode[name] === code)
  if (type === undefined) throw new Error(`the bus sent a D-Bus message of the unknown type ${code}`)
  const names = new Map<Value | undefined, string>(Object.entries(fields).map(([name, [number]]) => [number, name]))
  const known = (entries as readonly (readonly [number, Variant])[]).flatMap(([number, { value }]) => {
    const name = names.get(number)
    return name === undefined ? [] : [[name, value] as const]
  })
  const header = Object.fromEntries(known) as Partial<Message>
  const body = unmarshal(header.signature ?? '', bytes.subarray(bytes.length - (bodyLength as number)))
  return { ...header, type, serial: serial as number, body }
}

function align(length: number): number {
  return Math.ceil(length / 8) * 8
}
