/** Inputs by number, what the runtime makes of each, and the smallest one that still fails in the same way. */
import { decode, encode, Struct } from '@crio-lxc/core/abi/bytes'
import { printable } from '@crio-lxc/core/errors/printable'
import { messageOf, OUT_OF_MEMORY, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { monotonicMs } from '@crio-lxc/core/sys/program'
import { attempt } from '@crio-lxc/core/sys/syscall'
import { mutateBytes, mutateDocument, mutateText } from './mutate.ts'
import { otherInputs, resultText } from './other-inputs.ts'
import { layoutOf, type PipelineOptions, runPipeline } from './pipeline.ts'
import { type Random, randomOf } from './random.ts'
import { toText } from './raw-json.ts'
import { type Json, validSpec } from './valid-spec.ts'

/** CPU time that one input may take, in milliseconds. */
const MOST_CPU_MS = 10_000
/** A path takes 4095 bytes and may be quoted twice. */
const LONGEST_MESSAGE = 20_000

export interface Input {
  /** config.json, or one of `otherInputs`. */
  readonly file: string
  readonly text: string | Uint8Array
  readonly options: PipelineOptions
  /** The runtime must accept it. */
  readonly valid: boolean
}

export interface Outcome {
  /** 'accepted', or the message without what it quotes. */
  readonly kind: string
  /** What was made of it: the bytes of its plans, or what the reader has returned. */
  readonly result?: string
  /** What is wrong with it, if anything is. */
  readonly defect?: string
}

/** One in three is a config.json. */
export function inputOf(seed: number, index: number): Input {
  const random = randomOf(seed, index)
  return random.once(3) ? configInput(random) : otherInput(random)
}

/** One in eight is valid; of the others half are changed as documents, a third as texts, the rest as both. */
function configInput(random: Random): Input {
  const file = 'config.json'
  const document = validSpec(random)
  const options = {
    libseccomp: random.once(8),
    systemd: false,
    layout: random.below(3),
    printed: random.once(8),
    whole: true,
  }
  const way = random.below(8)
  if (way === 0) return { file, text: encode(toText(document)), options, valid: true }
  // Not on every host, so not in the valid ones.
  document.linux.resources.unified = random.once(4)
    ? { [random.pick(['memory.high', 'cgroup.procs', 'cgroup.freeze', '../x.y'])]: '1' }
    : undefined
  if (way < 6) for (let changes = random.below(4); changes >= 0; changes--) mutateDocument(document, random)
  const text = toText(document)
  return {
    file,
    text: bytesOf(way < 5 ? text : mutateText(text, random)),
    options: { ...options, systemd: random.once(10) },
    valid: false,
  }
}

const otherNames = Object.keys(otherInputs)

/** One in eight is as it was made. */
function otherInput(random: Random): Input {
  const file = random.once(4) ? 'process.json' : random.pick(otherNames)
  const made = otherInputs[file]?.make(random)
  const options = { libseccomp: false, systemd: false, layout: random.below(3), printed: false, whole: true }
  return { file, text: bytesOf(changed(made, random)), options, valid: false }
}

function changed(made: Json | string | Uint8Array, random: Random): string | Uint8Array {
  const way = random.below(8)
  if (made instanceof Uint8Array) return way === 0 ? made : mutateBytes(made, random)
  const isText = typeof made === 'string'
  if (!isText && way > 0 && way < 6)
    for (let changes = random.below(4); changes >= 0; changes--) mutateDocument(made, random)
  const text = isText ? made : toText(made)
  return way === 0 || (!isText && way < 5) ? text : mutateText(text, random)
}

/** As a file has it. */
function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? encode(text) : text
}

/** Runs one input; nothing of it is Node's, so that it runs in the engine as well. */
export function outcomeOf(input: Input, mostCpuMs = MOST_CPU_MS): Outcome {
  const { valid } = input
  const before = cpuMs()
  const outcome = tryInput(input)
  const ms = Math.round(cpuMs() - before)
  if (outcome.defect === undefined && ms > mostCpuMs) return { ...outcome, defect: `took ${ms} ms of CPU time` }
  if (outcome.defect === undefined && valid && outcome.kind !== 'accepted')
    return { ...outcome, defect: `a valid spec is refused: ${outcome.kind}` }
  return outcome
}

const CLOCK_PROCESS_CPUTIME_ID = 2

function cpuMs(): number {
  const time = new Struct(16)
  attempt('clock_gettime', CLOCK_PROCESS_CPUTIME_ID, time)
  return Number(time.i64(0)) * 1000 + Number(time.i64(8)) / 1e6
}

function tryInput({ file, text, options }: Input): Outcome {
  try {
    const other = otherInputs[file]
    const result = other ? other.read(bytesOf(text), layoutOf(options.layout)) : runPipeline(text, options)
    return { kind: 'accepted', result: resultText(result) }
  } catch (error) {
    if (messageOf(error) === OUT_OF_MEMORY) return { kind: OUT_OF_MEMORY }
    if (!(error instanceof RuntimeError || (file === 'a message of D-Bus' && isOfDBus(error)))) {
      const name = error instanceof Error ? `${error}\n${error.stack}` : String(error)
      return { kind: 'crash', defect: `not an error of the runtime: ${name}` }
    }
    const message = error instanceof RuntimeError ? error.message : printable(error.message)
    return { kind: kindOf(message), ...badMessage(message) }
  }
}

/** Its caller makes a sentence of what these readers throw, and that is printable as every RuntimeError. */
function isOfDBus(error: unknown): error is Error {
  return error instanceof Error && (error.constructor === Error || error.message.startsWith('a D-Bus message ends'))
}

/** One sentence on one line, that cannot steer a terminal, without the remains of a program. */
function badMessage(message: string): { defect: string } | Record<string, never> {
  const text = JSON.stringify(message.slice(0, 300))
  if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(message)) return { defect: `a control character in the message ${text}` }
  if (/\bundefined\b|\bNaN\b(?!")|\[object [A-Z]|instancePath|^\s+at |^$/.test(message))
    return { defect: `the message ${text}` }
  if (message.length > LONGEST_MESSAGE) return { defect: `a message of ${message.length} characters: ${text}` }
  return {}
}

function kindOf(message: string): string {
  return message
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/\d+/g, 'N')
    .slice(0, 200)
}

/** A smaller text with a defect, found by leaving out members and shortening strings while there is still one. */
export function shrink(input: Input): string | Uint8Array {
  const { text, valid } = input
  const fails = (candidate: string): boolean =>
    outcomeOf({ ...input, text: candidate, valid: false }).defect !== undefined
  let document: unknown
  try {
    document = JSON.parse(typeof text === 'string' ? text : decode(text))
    // Without 64-bit numbers, or what a second field of the same name said, it may no longer fail.
    if (valid || !fails(JSON.stringify(document))) return text
  } catch {
    // No JSON, or too many levels for one.
    return text
  }
  const until = monotonicMs() + 10_000
  for (let smaller = true; smaller && monotonicMs() < until; ) {
    smaller = false
    for (const candidate of reductions(document)) {
      if (monotonicMs() > until) break
      if (!fails(JSON.stringify(candidate))) continue
      document = candidate
      smaller = true
      break
    }
  }
  return JSON.stringify(document)
}

/** The value with one member less or one string of half the length, the biggest steps first. */
function* reductions(value: unknown): Generator<unknown> {
  if (typeof value === 'string' && value.length > 8) yield value.slice(0, value.length / 2)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (value.length > 2) yield value.slice(0, value.length / 2)
    for (const index of value.keys()) yield value.toSpliced(index, 1)
    for (const [index, item] of value.entries())
      for (const smaller of reductions(item)) yield value.with(index, smaller)
    return
  }
  const entries = Object.entries(value)
  for (const [name] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== name))
  for (const [name, member] of entries)
    for (const smaller of reductions(member))
      yield Object.fromEntries(entries.map(([other, old]) => [other, other === name ? smaller : old]))
}
