/** Values as the bytes of D-Bus, little-endian; D-Bus specification, "Marshaling (Wire Format)". PURE. */

import { encode, Struct } from '../abi/bytes.ts'
import { alignmentOf, splitSignature, type Value, type Variant } from './signature.ts'

/** `values` have the types of `signature`, one each. */
export function marshal(signature: string, values: readonly Value[]): Uint8Array {
  const writer = new Writer()
  splitSignature(signature).forEach((type, index) => {
    writer.write(type, values[index] as Value)
  })
  return writer.bytes()
}

class Writer {
  #buffer = new Struct(1024)
  #length = 0

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  write(type: string, value: Value): void {
    this.#align(alignmentOf(type))
    switch (type[0]) {
      case 'y':
        this.#set8(value as number)
        return
      case 'n':
        this.#set16(value as number)
        return
      case 'q':
        this.#set16(value as number)
        return
      case 'b':
        this.#set32(value ? 1 : 0)
        return
      case 'i':
        this.#set32(value as number)
        return
      case 'u':
        this.#set32(value as number)
        return
      case 'x':
        this.#set64(value as bigint)
        return
      case 't':
        this.#set64(value as bigint)
        return
      case 'd':
        this.#setDouble(value as number)
        return
      case 's':
      case 'o':
      case 'g':
        this.#writeString(type, value as string)
        return
      case 'v': {
        const { signature, value: inner } = value as Variant
        this.write('g', signature)
        this.write(signature, inner)
        return
      }
      case 'a':
        this.#writeArray(type.slice(1), value as readonly Value[] | Uint8Array)
        return
      default:
        splitSignature(type.slice(1, -1)).forEach((member, index) => {
          this.write(member, (value as readonly Value[])[index] as Value)
        })
    }
  }

  // #take may replace the buffer: it comes first.
  #set8(value: number): void {
    const at = this.#take(1)
    this.#buffer[at] = value
  }

  #set16(value: number): void {
    const at = this.#take(2)
    this.#buffer.set16(at, value)
  }

  #set32(value: number): void {
    const at = this.#take(4)
    this.#buffer.set32(at, value)
  }

  #set64(value: bigint): void {
    const at = this.#take(8)
    this.#buffer.set64(at, value)
  }

  #setDouble(value: number): void {
    const at = this.#take(8)
    this.#buffer.setDouble(at, value)
  }

  #writeString(type: string, text: string): void {
    const bytes = encode(text)
    this.write(type === 'g' ? 'y' : 'u', bytes.length)
    const at = this.#take(bytes.length + 1)
    this.#buffer.set(bytes, at)
  }

  /** The length counts neither itself nor the padding before the first item. */
  #writeArray(item: string, values: readonly Value[] | Uint8Array): void {
    const length = this.#take(4)
    this.#align(alignmentOf(item))
    const start = this.#length
    for (const value of values) this.write(item, value)
    this.#buffer.set32(length, this.#length - start)
  }

  #align(boundary: number): void {
    this.#take((boundary - (this.#length % boundary)) % boundary)
  }

  /** Room for `count` bytes, which are zero. */
  #take(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#buffer.length) {
      const grown = new Struct(Math.max(this.#length, this.#buffer.length * 2))
      grown.set(this.#buffer)
      this.#buffer = grown
    }
    return at
  }
}
