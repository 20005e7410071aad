import { callNumber } from '../abi/arch.ts'
import { errnoTable } from '../abi/errno.ts'
import { type Arg, HEADER_BYTES, type Label, PLAN_BASE, type Plan, Slot, type Step, setUint64 } from './plan.ts'

/** struct step of crio-lxc-init.c. */
const STEP_BYTES = 88
const MAGIC = 'cxlplan1'
const OP_MOVE = 0x10000
const OP_FAIL = 0x10001
const OP_STATUS = 0x10002
const OP_AND = 0x10003
const ZERO_IS_FAILURE = 1 << 8
const SKIP_IF_NONZERO = 1 << 9
const AWAIT_READER = 1 << 10

/** Lays a plan out as the file that crio-lxc-init maps; failures go to the fd `report`. */
export function compile(plan: Plan, report: number): Uint8Array {
  const { data, steps } = plan
  const size = data.length + steps.length * STEP_BYTES
  const file = new Uint8Array(size)
  const view = new DataView(file.buffer)
  const words = new Uint32Array(file.buffer)
  file.set(data)
  for (let i = 0; i < 8; i++) file[i] = MAGIC.charCodeAt(i)
  setUint64(view, 8, size)
  view.setUint32(16, steps.length, true)
  view.setUint32(20, plan.tag, true)
  setUint64(view, HEADER_BYTES - 16, report)
  setUint64(view, HEADER_BYTES - 8, PLAN_BASE + data.length)
  steps.forEach((step, index) => {
    writeStep(words, (data.length + index * STEP_BYTES) / 4, step, { index, plan })
  })
  return file
}

/** `at` counts words of 32 bits, as the engine writes those fastest. */
function writeStep(words: Uint32Array, at: number, step: Step, { index, plan }: { index: number; plan: Plan }): void {
  let flags = (step.zeroIsFailure ? ZERO_IS_FAILURE : 0) | (step.onOkIfNonZero ? SKIP_IF_NONZERO : 0)
  if (step.awaitReader) flags |= AWAIT_READER
  for (let i = 0; i < step.args.length; i++) {
    const arg = step.args[i] as Arg
    if (arg instanceof Slot) flags |= 1 << i
    setWord(words, at + 2 + 2 * i, typeof arg === 'number' ? arg : PLAN_BASE + arg.offset)
  }
  words[at] = numberOf(step, plan)
  words[at + 1] = flags
  for (const name of step.ignore ?? []) {
    const errno = errnoTable[name][0]
    words[at + 14 + (errno >> 5)] = (words[at + 14 + (errno >> 5)] ?? 0) | (1 << (errno & 31))
  }
  if (step.result) setWord(words, at + 18, PLAN_BASE + step.result.offset)
  words[at + 20] = skip(step, step.onOk, index)
  words[at + 21] = skip(step, step.onIgnored, index)
}

/** A number as 64 bits, a negative one in two's complement. */
function setWord(words: Uint32Array, at: number, value: number): void {
  words[at] = value
  words[at + 1] = Math.floor(value / 2 ** 32)
}

function numberOf(step: Step, plan: Plan): number {
  if (step.call === 'move') return OP_MOVE
  if (step.call === 'fail') return OP_FAIL
  if (step.call === 'status') return OP_STATUS
  if (step.call === 'and') return OP_AND
  return callNumber(plan.arch, step.call)
}

function skip(step: Step, label: Label | undefined, index: number): number {
  if (!label) return 0
  if (label.index <= index) throw new Error(`"${step.what}" continues at a label that lies not ahead`)
  return label.index - index - 1
}
