/** When a plan begins which group of its steps, for a trace. A plan that nobody traces has nothing of this. */
import { type Arg, Bytes, type Plan, type PlanTimes, TIMES_TAG } from './plan.ts'

/** struct timespec, bytes. */
export const TIME_BYTES = 16
/** With the record in front, what one write(2) to a pipe takes whole. */
const MAX_GROUPS = 15
/** What follows the record, bytes. */
export const TIMES_BYTES = MAX_GROUPS * TIME_BYTES

/** Not CLOCK_MONOTONIC: that is another in each time namespace. */
const CLOCK_REALTIME = 0

export class GroupTimes implements PlanTimes {
  readonly names: string[] = []
  readonly #plan: Plan
  /** A record, and the time of each group. */
  readonly #record: Bytes

  constructor(plan: Plan) {
    this.#plan = plan
    this.#record = plan.struct(
      TIME_BYTES + TIMES_BYTES,
      () => '{times}',
      (view, at) => {
        view.setUint32(at, TIMES_TAG, true)
        view.setUint32(at + 4, plan.tag, true)
      },
    )
  }

  begin(name: string): void {
    if (this.names.length === MAX_GROUPS) throw new Error(`a plan has no more than ${MAX_GROUPS} groups`)
    const at = this.#record.offset + TIME_BYTES * (this.names.length + 1)
    const time = new Bytes(at, TIME_BYTES, () => '{time}')
    this.#plan.step(`note when it begins: ${name}`, 'clock_gettime', [CLOCK_REALTIME, time])
    this.names.push(name)
  }

  report(report: Arg): void {
    this.#plan.step('report the times', 'write', [report, this.#record, this.#record.length])
  }
}
