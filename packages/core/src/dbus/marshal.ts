/** Values as the bytes of D-Bus, little-endian; D-Bus specification, "Marshaling (Wire Format)". PURE. */
import { Buffer } from 'node:buffer'
import { alignmentOf, splitSignature, type Value, type Variant } from './signature.ts'

/** `values` have the types of `signature`, one each. */
export function marshal(signature: string, values: readonly Value[]): Buffer {
  const writer = new Writer()
  splitSignature(signature).forEach((type, index) => {
    writer.write(type, values[index] as Value)
  })
  return writer.bytes()
}

class Writer {
  #buffer = Buffer.alloc(1024)
  #length = 0

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  write(type: string, value: Value): void {
    this.#align(alignmentOf(type))
    switch (type[0]) {
      case 'y':
        this.#buffer.writeUInt8(value as number, this.#take(1))
        return
      case 'n':
        this.#buffer.writeInt16LE(value as number, this.#take(2))
        return
      case 'q':
        this.#buffer.writeUInt16LE(value as number, this.#take(2))
        return
      case 'b':
        this.#buffer.writeUInt32LE(value ? 1 : 0, this.#take(4))
        return
      case 'i':
        this.#buffer.writeInt32LE(value as number, this.#take(4))
        return
      case 'u':
        this.#buffer.writeUInt32LE(value as number, this.#take(4))
        return
      case 'x':
        this.#buffer.writeBigInt64LE(value as bigint, this.#take(8))
        return
      case 't':
        this.#buffer.writeBigUInt64LE(value as bigint, this.#take(8))
        return
      case 'd':
        this.#buffer.writeDoubleLE(value as number, this.#take(8))
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

  #writeString(type: string, text: string): void {
    const bytes = Buffer.from(text)
    if (type === 'g') this.#buffer.writeUInt8(bytes.length, this.#take(1))
    else this.#buffer.writeUInt32LE(bytes.length, this.#take(4))
    const at = this.#take(bytes.length + 1)
    bytes.copy(this.#buffer, at)
  }

  /** The length counts neither itself nor the padding before the first item. */
  #writeArray(item: string, values: readonly Value[] | Uint8Array): void {
    const length = this.#take(4)
    this.#align(alignmentOf(item))
    const start = this.#length
    for (const value of values) this.write(item, value)
    this.#buffer.writeUInt32LE(this.#length - start, length)
  }

  #align(boundary: number): void {
    this.#take((boundary - (this.#length % boundary)) % boundary)
  }

  /** Room for `count` bytes, which are zero. */
  #take(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2))
      this.#buffer.copy(grown)
      this.#buffer = grown
    }
    return at
  }
}
