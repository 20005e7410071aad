import { callNumber } from '../abi/arch.ts'
import { errnoTable } from '../abi/errno.ts'
import { Bytes, HEADER_BYTES, type Label, PLAN_BASE, type Plan, Slot, type Step, setUint64 } from './plan.ts'

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
  file.set(data)
  for (let i = 0; i < 8; i++) file[i] = MAGIC.charCodeAt(i)
  setUint64(view, 8, size)
  view.setUint32(16, steps.length, true)
  view.setUint32(20, plan.tag, true)
  setUint64(view, HEADER_BYTES - 16, report)
  setUint64(view, HEADER_BYTES - 8, PLAN_BASE + data.length)
  steps.forEach((step, index) => {
    writeStep(view, data.length + index * STEP_BYTES, step, { index, plan })
  })
  return file
}

function writeStep(view: DataView, at: number, step: Step, { index, plan }: { index: number; plan: Plan }): void {
  let flags = (step.zeroIsFailure ? ZERO_IS_FAILURE : 0) | (step.onOkIfNonZero ? SKIP_IF_NONZERO : 0)
  if (step.awaitReader) flags |= AWAIT_READER
  step.args.forEach((arg, i) => {
    if (arg instanceof Slot) flags |= 1 << i
    setUint64(
      view,
      at + 8 + 8 * i,
      typeof arg === 'number' ? arg : arg instanceof Bytes ? arg.address : PLAN_BASE + arg.offset,
    )
  })
  view.setUint32(at, numberOf(step, plan), true)
  view.setUint32(at + 4, flags, true)
  for (const name of step.ignore ?? []) {
    const errno = errnoTable[name][0]
    const word = at + 56 + 4 * (errno >> 5)
    view.setUint32(word, view.getUint32(word, true) | (1 << (errno & 31)), true)
  }
  if (step.result) setUint64(view, at + 72, PLAN_BASE + step.result.offset)
  view.setUint32(at + 80, skip(step, step.onOk, index), true)
  view.setUint32(at + 84, skip(step, step.onIgnored, index), true)
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
