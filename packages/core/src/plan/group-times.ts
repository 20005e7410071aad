/** When a plan begins which group of its steps, for a trace. A plan that nobody traces has nothing of this. */
import type { Struct } from '../abi/bytes.ts'
import { type Arg, Bytes, type Plan, type PlanTimes } from './plan.ts'
import { planReport, RECORD_BYTES, timesRecord } from './record.ts'

/** struct timespec, bytes. */
const TIME_BYTES = 16
/** With the record in front, what one write(2) to a pipe takes whole. */
const MAX_GROUPS = 15
/** What follows the record, bytes. */
export const TIMES_BYTES = MAX_GROUPS * TIME_BYTES

/** Not CLOCK_MONOTONIC: that is another in each time namespace. */
const CLOCK_REALTIME = 0

export class GroupTimes implements PlanTimes {
  readonly names: string[] = []
  readonly #plan: Plan
  /** With the time of each group. */
  readonly #record: Bytes

  constructor(plan: Plan) {
    this.#plan = plan
    this.#record = timesRecord(plan, TIMES_BYTES)
  }

  group(name: string): void {
    if (this.names.length === MAX_GROUPS) throw new Error(`a plan has no more than ${MAX_GROUPS} groups`)
    const at = this.#record.offset + RECORD_BYTES + TIME_BYTES * this.names.length
    const time = new Bytes(at, TIME_BYTES, () => '{time}')
    this.#plan.step(`note when it begins: ${name}`, 'clock_gettime', [CLOCK_REALTIME, time])
    this.names.push(name)
  }

  report(report: Arg): void {
    planReport(this.#plan, 'report the times', report, this.#record)
  }
}

/** From what follows the record: when each group of the plan has begun, in milliseconds of CLOCK_REALTIME. */
export function parseTimes({ names }: PlanTimes, times: Struct): { readonly name: string; readonly ms: number }[] {
  return names.map((name, index) => {
    const at = index * TIME_BYTES
    return { name, ms: Number(times.i64(at)) * 1000 + Number(times.i64(at + 8)) / 1e6 }
  })
}
