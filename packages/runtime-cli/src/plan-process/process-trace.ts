/** A process that plans make, in a trace: what it did when, as its plans have noted it. Loaded for --trace alone. */
import { Struct } from '@crio-lxc/core/abi/bytes'
import { logSpan } from '@crio-lxc/core/host/log/logger'
import type { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import { parseTimes, TIMES_BYTES } from '@crio-lxc/core/plan/group-times'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { unknownRecord } from '@crio-lxc/core/plan/record'
import { monotonicMs, realtimeMs } from '@crio-lxc/core/sys/program'

interface Mark {
  readonly name: string
  readonly tag: number
  /** Of CLOCK_MONOTONIC, ms. */
  readonly at: number
}

export class ProcessTrace {
  readonly #component: string
  readonly #marks: Mark[] = []

  constructor(component: string) {
    this.#component = component
  }

  /** What follows the record of `plan` that `process` has reported. Throws RuntimeError when that is not what a plan sends. */
  add(plan: Plan | undefined, process: ExecutorProcess, what: string): void {
    const times = new Struct(TIMES_BYTES)
    // One write(2) takes both to the pipe: a record without times is forged, and they would be waited for in vain.
    if (!plan?.times || !process.readRest(times)) throw unknownRecord(what)
    const offset = monotonicMs() - realtimeMs()
    for (const { name, ms } of parseTimes(plan.times, times)) this.#marks.push({ name, tag: plan.tag, at: ms + offset })
  }

  /** A group lasts until the next begins, the last one until now. `processOf` is who ran the plan of that tag. */
  end(processOf: (tag: number) => { readonly pid: number; readonly name: string }): void {
    const now = monotonicMs()
    for (const [index, { name, tag, at: from }] of this.#marks.entries()) {
      const to = this.#marks[index + 1]?.at ?? now
      logSpan({ name, component: this.#component, from, to, process: processOf(tag) })
    }
  }
}
