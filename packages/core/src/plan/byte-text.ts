/**
 * Names of files and the like are bytes. In a text each byte that belongs to no UTF-8 is a lone surrogate, U+DC80 to U+DCFF
 * (as in Python's PEP 383), which no other text has and which survives JSON. PURE.
 */
const ESCAPES = 0xdc00
const escaped = /[\udc80-\udcff]/u
const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function textOfBytes(bytes: Uint8Array): string {
  const whole = decode(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0
    const length = lengthOfSequence(byte)
    const character = decode(bytes.subarray(at, at + length))
    text += character ?? String.fromCharCode(ESCAPES + byte)
    at += character === undefined ? 1 : length
  }
  return text
}

/** Undefined for a text without such bytes, which TextEncoder does justice to. */
export function bytesOfText(text: string): Uint8Array | undefined {
  if (!escaped.test(text)) return undefined
  const parts = [...text].map((character) => {
    const code = character.charCodeAt(0)
    return escaped.test(character) ? Uint8Array.of(code - ESCAPES) : encoder.encode(character)
  })
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** By the first byte of one. */
function lengthOfSequence(byte: number): number {
  if (byte < 0xc0) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}
