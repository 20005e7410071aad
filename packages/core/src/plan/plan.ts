/**
 * A plan: system calls in order with the bytes they point at, as data. Planners append steps; compile.ts lays the
 * plan out for crio-lxc-init and print.ts puts it into words. The layout is described in crio-lxc-init.c.
 */

import type { Arch, Call } from '../abi/arch.ts'
import { encode } from '../abi/bytes.ts'
import type { Errno } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'

/** Where every plan is mapped: pointers inside a plan are final when they are written. */
export const PLAN_BASE = 0x1_0000_0000
/** A plan beyond these comes of a document made to exhaust the runtime; real ones have some hundred steps. */
const MAX_BYTES = 32 * 1024 * 1024
const MAX_STEPS = 400_000
/** magic, size, count and tag, report, steps: the data begins behind them. */
export const HEADER_BYTES = 40
const REPORT_OFFSET = 24

/** A 64-bit word of the plan that takes a step's result and may be a later step's argument. */
export class Slot {
  constructor(
    readonly name: string,
    readonly offset: number,
  ) {}
}

/** What a number says, where that does not depend on a call. */
export type Meaning = 'open flags' | 'resolve' | 'mount attributes' | 'mount flags'

/** How numbers of a step are written for people. */
export interface Spelling {
  /** Of the argument at `index`; undefined: as it is. */
  readonly argument: (call: Operation, index: number, args: readonly unknown[]) => string | undefined
  /** Of a member of a structure. */
  readonly member: (meaning: Meaning, value: number) => string
}

/** How a person reads bytes of a plan. */
export type Show = (spelling?: Spelling) => string

/** Bytes of the plan that an argument points at. */
export class Bytes {
  constructor(
    readonly offset: number,
    readonly length: number,
    readonly show: Show,
  ) {}

  get address(): number {
    return PLAN_BASE + this.offset
  }
}

/** A place later in the plan that a step may continue at. */
export class Label {
  index = -1
}

/** The fd that failures are written to; storing a result here redirects the records that follow. */
export const REPORT = new Slot('report', REPORT_OFFSET)

export type Arg = number | Slot | Bytes

/**
 * Calls of the executor itself: `move` yields its argument, `fail` fails with the errno it is given, `status` takes the
 * result of a call out of memory: its argument as a 32-bit number, a failure when it is a negative errno; `and` yields the bits
 * that both its arguments have.
 */
export type Operation = Call | 'move' | 'fail' | 'status' | 'and'

/**
 * What others know a step by, whatever its words are: it looks for the program, and fails with the reason why there is none
 * to execute; it becomes the program; it waits for `start`; it tells of the child that goes on, which does so also when it fails.
 */
export type StepRole = 'find-executable' | 'execute' | 'wait-for-start' | 'tell-of-child'

/** What a failed step means to whoever words or handles its failure. */
export interface StepMeaning {
  /** What the step does, in words that complete "… failed". */
  readonly what: string
  readonly role?: StepRole
  /** What to do about an error, for the end of its sentence. */
  readonly advice?: Advice
}

export type Advice = { readonly [Name in Errno]?: string }

export interface StepOptions extends Pick<StepMeaning, 'role' | 'advice'> {
  /** Errors that are not a failure. */
  readonly ignore?: readonly Errno[]
  /** Takes the result when the call succeeds. */
  readonly result?: Slot
  /** Where to go on after success, and after an ignored error; the next step when absent. */
  readonly onOk?: Label
  readonly onIgnored?: Label
  /** A result of 0 is a failure with EPIPE: end of file where a byte was promised. */
  readonly zeroIsFailure?: boolean
  /** `onOk` is taken only when the result is not 0: the parent's way after clone. */
  readonly onOkIfNonZero?: boolean
  /** After a failure the process stays until the reader of its record has closed its end. */
  readonly awaitReader?: boolean
}

export interface Step extends StepOptions, StepMeaning {
  readonly call: Operation
  readonly args: readonly Arg[]
}

/** The plan notes when it comes to a group of steps (group-times.ts). */
export interface PlanTimes {
  /** Of the groups, in their order. */
  readonly names: readonly string[]
  /** The steps that follow are one. */
  group(name: string): void
  /** All at once, so that whoever reads them does not hold the process up. */
  report(report: Arg): void
}

export class Plan {
  readonly steps: Step[] = []
  /** Given when somebody wants to know how long its groups of steps take. */
  times?: PlanTimes
  #data = new Uint8Array(16384)
  #view = new DataView(this.#data.buffer)
  #length = HEADER_BYTES
  readonly #strings = new Map<string, Bytes>()

  constructor(
    readonly tag: PlanTag,
    readonly arch: Arch,
  ) {}

  /** Appends a step. */
  step(what: string, call: Operation, args: readonly Arg[], options?: StepOptions): void {
    if (this.steps.length === MAX_STEPS) throw tooLarge(`it has more than ${MAX_STEPS} steps`)
    // Most have none, and of hundreds of steps each copy counts.
    this.steps.push(options ? { what, call, args, ...options } : { what, call, args })
  }

  /** Makes `label` the place of the next step. */
  place(label: Label): void {
    label.index = this.steps.length
  }

  slot(name: string): Slot {
    return new Slot(name, this.#allocate(8))
  }

  /** A NUL-terminated string, of the bytes that abi/bytes.ts sees in it; equal ones are stored once. */
  string(text: string): Bytes {
    const known = this.#strings.get(text)
    if (known) return known
    const content = encode(text)
    const offset = this.#allocate(content.length + 1)
    this.#data.set(content, offset)
    const bytes = new Bytes(offset, content.length, () => JSON.stringify(text))
    this.#strings.set(text, bytes)
    return bytes
  }

  /** A structure of `length` bytes, filled by `fill(view, offset)`. */
  struct(length: number, show: Show, fill: (view: DataView, offset: number) => void): Bytes {
    const offset = this.#allocate(length)
    fill(this.#view, offset)
    return new Bytes(offset, length, show)
  }

  /** The word at `offset` of `bytes`, to be filled by a step. */
  wordAt(bytes: Bytes, offset: number): Slot {
    return new Slot('word', bytes.offset + offset)
  }

  /** Bytes as they are. */
  blob(bytes: Uint8Array, show: Show): Bytes {
    const offset = this.#allocate(bytes.length)
    this.#data.set(bytes, offset)
    return new Bytes(offset, bytes.length, show)
  }

  /** A NULL-terminated array of strings, as execve(2) takes. */
  strings(texts: readonly string[]): Bytes {
    const addresses = texts.map((text) => this.string(text).address)
    return this.struct(
      8 * (texts.length + 1),
      () => `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`,
      (view, offset) => {
        addresses.forEach((address, index) => {
          setUint64(view, offset + 8 * index, address)
        })
      },
    )
  }

  /** The header's room and the data, as far as they are filled. */
  get data(): Uint8Array {
    return this.#data.subarray(0, this.#length)
  }

  #allocate(length: number): number {
    const offset = this.#reserve(length)
    this.#length = align(offset + length)
    return offset
  }

  #reserve(length: number): number {
    const needed = this.#length + length + 8
    if (needed > MAX_BYTES) throw tooLarge(`it has more than ${MAX_BYTES} bytes`)
    if (needed > this.#data.length) {
      const grown = new Uint8Array(Math.max(needed, this.#data.length * 2))
      grown.set(this.#data)
      this.#data = grown
      this.#view = new DataView(grown.buffer)
    }
    return this.#length
  }
}

/** Which plan a failure record speaks of. */
export const planTag = {
  launch: 1,
  container: 2,
  exec: 3,
  wait: 4,
  hook: 5,
  userNamespace: 6,
  netDevices: 7,
  message: 8,
} as const
export type PlanTag = (typeof planTag)[keyof typeof planTag]

function tooLarge(problem: string): RuntimeError {
  const advice = 'give fewer or shorter mounts, devices, paths, arguments or variables'
  return new RuntimeError('invalid-spec', `plan the container of config.json: ${problem}: ${advice}`)
}

function align(offset: number): number {
  return (offset + 7) & ~7
}

/** Writes a whole number (negative ones in two's complement) or a bigint as 64 bits, little-endian. */
export function setUint64(view: DataView, offset: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    view.setBigUint64(offset, BigInt.asUintN(64, value), true)
    return
  }
  view.setUint32(offset, value >>> 0, true)
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32) >>> 0, true)
}
