/** The bytes of D-Bus as values; the reverse of marshal.ts. PURE. */
import { decode, type Struct, structOf } from '../abi/bytes.ts'
import { alignmentOf, splitSignature, type Value } from './signature.ts'

/** As deep as D-Bus lets variants lie in one another. */
const MAX_DEPTH = 64

/** Throws RangeError when the bytes end before the values do, and Error for what is no signature or too deep. */
export function unmarshal(signature: string, bytes: Uint8Array): Value[] {
  const reader = new Reader(bytes)
  return splitSignature(signature).map((type) => reader.read(type))
}

class Reader {
  #at = 0
  #variants = 0
  readonly #bytes: Struct

  constructor(bytes: Uint8Array) {
    this.#bytes = structOf(bytes)
  }

  read(type: string): Value {
    this.#align(alignmentOf(type))
    switch (type[0]) {
      case 'y':
        return this.#bytes[this.#take(1)] ?? 0
      case 'n':
        return this.#bytes.i16(this.#take(2))
      case 'q':
        return this.#bytes.u16(this.#take(2))
      case 'b':
        return this.#bytes.u32(this.#take(4)) !== 0
      case 'i':
        return this.#bytes.i32(this.#take(4))
      case 'u':
        return this.#bytes.u32(this.#take(4))
      case 'x':
        return this.#bytes.i64(this.#take(8))
      case 't':
        return this.#bytes.u64(this.#take(8))
      case 'd':
        return this.#bytes.double(this.#take(8))
      case 's':
      case 'o':
        return this.#readString(this.read('u') as number)
      case 'g':
        return this.#readString(this.read('y') as number)
      case 'v': {
        const signature = this.read('g') as string
        if (++this.#variants > MAX_DEPTH)
          throw new Error(`a D-Bus message has more than ${MAX_DEPTH} levels of variants`)
        if (splitSignature(signature).length !== 1)
          throw new Error(`a variant of D-Bus has the signature ${JSON.stringify(signature)}`)
        const value = this.read(signature)
        this.#variants -= 1
        return { signature, value }
      }
      case 'a':
        return this.#readArray(type.slice(1))
      default:
        return splitSignature(type.slice(1, -1)).map((member) => this.read(member))
    }
  }

  #readString(length: number): string {
    const at = this.#take(length + 1)
    return decode(this.#bytes.subarray(at, at + length))
  }

  #readArray(item: string): Value {
    const length = this.read('u') as number
    this.#align(alignmentOf(item))
    const end = this.#at + length
    if (item === 'y') {
      const at = this.#take(length)
      return this.#bytes.slice(at, at + length)
    }
    const values: Value[] = []
    while (this.#at < end) values.push(this.read(item))
    return values
  }

  #align(boundary: number): void {
    this.#take((boundary - (this.#at % boundary)) % boundary)
  }

  #take(count: number): number {
    const at = this.#at
    this.#at += count
    if (this.#at > this.#bytes.length) throw new RangeError(`a D-Bus message ends after ${this.#bytes.length} bytes`)
    return at
  }
}
