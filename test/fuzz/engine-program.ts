/**
 * The fuzzer as a program of the engine: documents on its standard input (frame.ts), and a line of JSON for each,
 * [number, kind, result, defect]. Numbers below 0 are made to exhaust the runtime.
 */
import { Struct } from '@crio-lxc/core/abi/bytes'
import { read, writeAll } from '@crio-lxc/core/sys/fd'
import { decodeHeader, HEADER_BYTES } from './frame.ts'
import { outcomeOf } from './fuzz-inputs.ts'

const [STDIN, STDOUT] = [0, 1]
/** Sanitizers make it ten times as slow as it is. */
const MOST_CPU_MS = 30_000
const MOST_CPU_MS_OF_EXHAUSTING = 300_000

/** False at the end of the input. */
function fill(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const count = read(STDIN, bytes.subarray(at))
    if (count === 0) return false
    at += count
  }
  return true
}

const header = new Struct(HEADER_BYTES)
while (fill(header)) {
  const { index, length, input } = decodeHeader(header)
  const text = new Uint8Array(length)
  fill(text)
  const mostCpuMs = index < 0 ? MOST_CPU_MS_OF_EXHAUSTING : MOST_CPU_MS
  const { kind, result, defect } = outcomeOf({ ...input, text }, mostCpuMs)
  writeAll(STDOUT, `${JSON.stringify([index, kind, result, defect])}\n`)
}
