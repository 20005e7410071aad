/**
 * An entry of the cache of compiled filters: the whole input that it was compiled from, and the program. The input is
 * compared, not a digest of it, so that no other profile can ever get the program. PURE.
 */
import { concat, decode, encode, Struct, structOf } from '../abi/bytes.ts'
import type { Seccomp } from '../oci/linux.ts'

/** So many entries there are at most: one takes the place of another. */
const SLOTS = 32
/** Of a larger one the profile is compiled each time; the defaults of the callers take 20 kB. */
export const MAX_ENTRY_BYTES = 1 << 17

/** Before the input's text: the program's checksum and the text's length. */
const HEADER_BYTES = 8
/** sizeof(struct sock_filter), and BPF_MAXINSNS of them. */
const INSTRUCTION_BYTES = 8
const MAX_INSTRUCTIONS = 4096

/** Whether it can be a program that seccomp(2) takes, by its length. */
export function isProgramLength(bytes: number): boolean {
  const instructions = bytes / INSTRUCTION_BYTES
  return Number.isInteger(instructions) && instructions > 0 && instructions <= MAX_INSTRUCTIONS
}

/** All that the program depends on: who compiles, which kernel says what it knows, and the profile but for its agent. */
export function cacheInput(compiler: string, boot: string, seccomp: Seccomp): string {
  // Engines give each container an agent's socket and metadata of its own.
  const { listenerPath: _path, listenerMetadata: _metadata, ...profile } = seccomp
  return JSON.stringify([compiler, boot, profile], (_, value: unknown) =>
    // Only a number that is not safe is one, and a field that takes numbers takes no text.
    typeof value === 'bigint' ? String(value) : value,
  )
}

/** Which entry an input has. Any spread will do, so that not all of a long text is looked at. */
export function cacheSlot(input: string): number {
  let sum = input.length
  for (let at = 0; at < input.length; at += 16) sum = (31 * sum + input.charCodeAt(at)) | 0
  return (sum >>> 16) % SLOTS
}

/** Undefined when it would be larger than an entry may be. */
export function cacheEntry(input: string, program: Uint8Array): Uint8Array | undefined {
  const text = encode(input)
  const header = new Struct(HEADER_BYTES).set32(0, checksum(program)).set32(4, text.length)
  const size = HEADER_BYTES + text.length + program.length
  return size > MAX_ENTRY_BYTES ? undefined : concat(header, text, program)
}

/** The program of an entry that was made from this very input; undefined for any other, and for one that is not whole. */
export function cachedProgram(entry: Uint8Array, input: string): Uint8Array | undefined {
  if (entry.length < HEADER_BYTES) return undefined
  const header = structOf(entry.subarray(0, HEADER_BYTES))
  const end = HEADER_BYTES + header.u32(4)
  if (decode(entry.subarray(HEADER_BYTES, end)) !== input) return undefined
  const program = entry.slice(end)
  return isProgramLength(program.length) && checksum(program) === header.u32(0) ? program : undefined
}

/** Against what a disk has lost, which are sectors: a look at each is enough. Of memory of its own, whose words are aligned. */
function checksum(program: Uint8Array): number {
  const words = new Int32Array(program.buffer, program.byteOffset, program.length / 4)
  const { length } = words
  let sum = length
  for (let at = 0; at < length; at += 8) sum = (sum << 5) ^ (sum >> 27) ^ (words[at] as number)
  return sum >>> 0
}
