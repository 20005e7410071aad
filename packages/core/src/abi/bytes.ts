/** Bytes, and C structures in them; all processors that are supported put the low byte first. */

/** The part of the engine's interface that looks at nothing but its arguments (sys/engine.ts). */
const { encode: encodeText, decode: decodeText } = (
  globalThis as unknown as {
    engine: { encode(text: string): ArrayBuffer; decode(bytes: Uint8Array): string }
  }
).engine

/** Zeroed memory for a C structure: fields by their offset in bytes. */
export class Struct extends Uint8Array {
  /** A part of it is bytes alone. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array
  }

  readonly #view = new DataView(this.buffer, this.byteOffset, this.byteLength)

  u16(offset: number): number {
    return this.#view.getUint16(offset, true)
  }

  i32(offset: number): number {
    return this.#view.getInt32(offset, true)
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  i64(offset: number): bigint {
    return this.#view.getBigInt64(offset, true)
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true)
  }

  i16(offset: number): number {
    return this.#view.getInt16(offset, true)
  }

  double(offset: number): number {
    return this.#view.getFloat64(offset, true)
  }

  set16(offset: number, value: number): this {
    this.#view.setUint16(offset, value, true)
    return this
  }

  set32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true)
    return this
  }

  setDouble(offset: number, value: number): this {
    this.#view.setFloat64(offset, value, true)
    return this
  }

  /** Takes negative values as well. */
  set64(offset: number, value: number | bigint): this {
    this.#view.setBigInt64(offset, BigInt.asIntN(64, BigInt(value)), true)
    return this
  }
}

/** `bytes` as they are, with their fields. */
export function structOf(bytes: Uint8Array): Struct {
  return new Struct(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}

/** The bytes of a text in UTF-8; a lone surrogate U+DC80 to U+DCFF is the byte 0x80 to 0xFF that it stands for. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeText(text))
}

/** The reverse: any bytes survive. */
export function decode(bytes: Uint8Array): string {
  return decodeText(bytes)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
