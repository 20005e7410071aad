/** As much of the protobuf encoding as the calls of a container runtime interface need. */

/** A message by field number; an array is a repeated field, `true` a varint of 1, undefined is left out. */
export interface Message {
  readonly [field: number]: Field | readonly Field[] | undefined
}
type Field = string | number | bigint | true | Message

export function encode(message: Message): Buffer {
  const fields = Object.entries(message).flatMap(([number, value]) =>
    (Array.isArray(value) ? (value as Field[]) : value === undefined ? [] : [value as Field]).map((one) =>
      encodeField(BigInt(number), one),
    ),
  )
  return Buffer.concat(fields)
}

function encodeField(number: bigint, value: Field): Buffer {
  if (value === true || typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(number << 3n), varint(BigInt(value))])
  const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value)
  return Buffer.concat([varint((number << 3n) | 2n), varint(BigInt(bytes.length)), bytes])
}

/** Seven bits in each byte, the lowest first; the top bit says that another one follows. */
function varint(value: bigint): Buffer {
  const bytes: number[] = []
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0))
    if (rest <= 0x7fn) return Buffer.from(bytes)
  }
}

/** A message that was received, whose fields have the types that the reader knows them to have. */
export class Received {
  readonly #fields = new Map<number, (bigint | Buffer)[]>()

  constructor(bytes: Buffer) {
    let at = 0
    const readVarint = (): bigint => {
      for (let value = 0n, shift = 0n; ; shift += 7n) {
        const byte = bytes[at++] ?? 0
        value |= BigInt(byte & 0x7f) << shift
        if ((byte & 0x80) === 0) return value
      }
    }
    while (at < bytes.length) {
      const key = readVarint()
      const wireType = Number(key & 7n)
      if (wireType !== 0 && wireType !== 2) throw new Error(`wire type ${wireType} is not expected in an answer`)
      const value = readVarint()
      const end = wireType === 0 ? at : at + Number(value)
      const number = Number(key >> 3n)
      const values = this.#fields.get(number) ?? []
      this.#fields.set(number, [...values, wireType === 0 ? value : bytes.subarray(at, end)])
      at = end
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field)
  }

  string(field: number): string {
    return this.bytes(field).toString()
  }

  /** 0 when the field is missing, as in every proto3 message. */
  number(field: number): number {
    const value = this.#fields.get(field)?.at(-1) ?? 0n
    return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : Number.NaN
  }

  message(field: number): Received {
    return new Received(this.bytes(field))
  }

  private bytes(field: number): Buffer {
    const value = this.#fields.get(field)?.at(-1)
    return value instanceof Buffer ? value : Buffer.alloc(0)
  }
}
