/** How a document gets into the engine: what is to be done with it, and its bytes. */
import { concat, Struct } from '@crio-lxc/core/abi/bytes'
import type { Input } from './fuzz-inputs.ts'
import { otherInputs } from './other-inputs.ts'

/** Number of the input, file, options, length. */
export const HEADER_BYTES = 16

const files = ['config.json', ...Object.keys(otherInputs)]

/** `text` is bytes: those of a string would have to be counted first. */
export function encodeFrame(index: number, { file, text, options, valid }: Input): Uint8Array {
  if (typeof text === 'string') throw new Error('the text of an input for the engine is its bytes')
  const { libseccomp, systemd, printed, layout } = options
  const bits = [libseccomp, systemd, printed, valid].reduce((sum, bit, position) => sum | (Number(bit) << position), 0)
  const header = new Struct(HEADER_BYTES).set32(0, index).set32(4, files.indexOf(file))
  header.set32(8, bits | (layout << 8)).set32(12, text.length)
  return concat(header, text)
}

export interface Frame {
  readonly index: number
  readonly length: number
  readonly input: Omit<Input, 'text'>
}

/** Plans are checked on Node alone. */
export function decodeHeader(header: Struct): Frame {
  const bits = header.u32(8)
  const is = (position: number): boolean => ((bits >> position) & 1) === 1
  const options = { libseccomp: is(0), systemd: is(1), printed: is(2), layout: bits >> 8, whole: false }
  return {
    index: header.i32(0),
    length: header.u32(12),
    input: { file: files[header.u32(4)] as string, options, valid: is(3) },
  }
}
