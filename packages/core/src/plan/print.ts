/** A plan for people: each step in words and as the call it makes, as strace(1) prints calls. */
import { AT_FDCWD } from '../abi/constants.ts'
import { type Arg, Bytes, type Label, type Plan, Slot, type Spelling, type Step } from './plan.ts'
import { hex } from './structs.ts'

/** One line of `debug plan`. */
export interface PrintedStep {
  readonly step: number
  readonly what: string
  readonly call: string
  /** Where the plan goes on when that is not the next step. */
  readonly next?: string
}

/** Numbers are numbers, without a spelling. */
export function printPlan(plan: Plan, spelling?: Spelling): PrintedStep[] {
  return plan.steps.map((step, index) => {
    const next = [
      jump(step.onOk, step.onOkIfNonZero ? 'when it is not 0' : 'after success', index),
      step.awaitReader ? 'after a failure wait until the reader of its record has gone' : '',
      step.ignore?.length ? `${step.ignore.join(', ')} ignored${jump(step.onIgnored, '', index)}` : '',
    ].filter(Boolean)
    return {
      step: index,
      what: step.what,
      call: callText(step, spelling),
      ...(next.length > 0 && { next: next.join('; ') }),
    }
  })
}

/** `move_mount(12, "", 7, "", 0x44)`. */
export function callText({ call, args, result }: Step, spelling?: Spelling): string {
  const texts = args.map((arg, index) => spelling?.argument(call, index, args) ?? argText(arg, spelling))
  const text = `${call}(${texts.join(', ')})`
  return result ? `${text} = ${argText(result)}` : text
}

function argText(arg: Arg, spelling?: Spelling): string {
  if (arg instanceof Slot) return `<${arg.name}>`
  if (arg instanceof Bytes) return arg.show(spelling)
  if (arg === AT_FDCWD) return 'AT_FDCWD'
  return arg > 4096 ? hex(arg) : String(arg)
}

function jump(label: Label | undefined, when: string, index: number): string {
  if (!label || label.index === index + 1) return ''
  return `${when} go to ${label.index}`
}
