import { concat, decode } from '../abi/bytes.ts'
import { UNPRINTABLE } from '../errors/printable.ts'

const KEPT_BYTES = 2048
const LINE_CHARACTERS = 300
const unprintable = new RegExp(`${UNPRINTABLE}+`, 'gu')

/** The first and the last line of what a hook wrote to stderr: the end of it is mostly the cause, the beginning sometimes. */
export class StderrExcerpt {
  #head: Uint8Array = new Uint8Array()
  #tail: Uint8Array = new Uint8Array()

  add(bytes: Uint8Array): void {
    const room = KEPT_BYTES - this.#head.length
    if (room > 0) this.#head = concat(this.#head, bytes.subarray(0, room))
    this.#tail = concat(this.#tail, bytes.subarray(-KEPT_BYTES)).subarray(-KEPT_BYTES)
  }

  /** `: first line … last line`, `: only line`, or nothing when there was nothing. */
  clause(): string {
    const first = lines(this.#head)[0]
    const last = lines(this.#tail).at(-1)
    if (first === undefined || last === undefined) return ''
    return first === last ? `: ${first}` : `: ${first} … ${last}`
  }
}

/** Non-empty lines without control characters, which could pretend anything on the reader's terminal. */
function lines(bytes: Uint8Array): string[] {
  return decode(bytes)
    .split(/[\r\n]+/)
    .map((line) => line.replace(unprintable, ' ').trim().slice(0, LINE_CHARACTERS))
    .filter((line) => line !== '')
}
