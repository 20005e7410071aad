/** Steps for how the kernel schedules the process: its CPU time, its IO and its CPUs (config.md, "Linux Process"). */
import { IOPRIO_CLASS, IOPRIO_WHO_PROCESS, SCHED_FLAG, SCHED_POLICY } from '@crio-lxc/core/abi/constants'
import { parseNumberList } from '@crio-lxc/core/oci/number-list'
import type { IoPriority, Scheduler } from '@crio-lxc/core/oci/spec'
import { type Bytes, type Plan, setUint64 } from '@crio-lxc/core/plan/plan'
import { bitmask, hex } from '@crio-lxc/core/plan/structs'

/** struct sched_attr of sched_setattr(2) with the utilisation clamps, bytes. */
const SCHED_ATTR_SIZE = 56
/** In an IO priority the class stands above the level (linux/ioprio.h). */
const IOPRIO_CLASS_SHIFT = 13

export function planScheduler(plan: Plan, scheduler: Scheduler): void {
  const attr = plan.struct(
    SCHED_ATTR_SIZE,
    () => schedulerText(scheduler),
    (view, at) => {
      writeScheduler(view, at, scheduler)
    },
  )
  plan.step('set process.scheduler', 'sched_setattr', [0, attr, 0])
}

/** struct sched_attr of sched_setattr(2). */
export function schedulerBytes(scheduler: Scheduler): Uint8Array {
  const bytes = new Uint8Array(SCHED_ATTR_SIZE)
  writeScheduler(new DataView(bytes.buffer), 0, scheduler)
  return bytes
}

export function schedulerText(scheduler: Scheduler): string {
  const { policy, nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler
  return `{${policy}, flags=${hex(flagBits(scheduler))}, nice=${nice}, priority=${priority}, runtime=${runtime}, deadline=${deadline}, period=${period}}`
}

/** A child of the process that has it has it too (sched(7)). */
export function isInherited({ policy, flags = [] }: Scheduler): boolean {
  return policy !== 'SCHED_DEADLINE' && !flags.includes('SCHED_FLAG_RESET_ON_FORK')
}

function flagBits({ flags = [] }: Scheduler): number {
  return flags.reduce((all, flag) => all | SCHED_FLAG[flag], 0)
}

function writeScheduler(view: DataView, at: number, scheduler: Scheduler): void {
  const { policy, nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler
  view.setUint32(at, SCHED_ATTR_SIZE, true)
  view.setUint32(at + 4, SCHED_POLICY[policy], true)
  setUint64(view, at + 8, flagBits(scheduler))
  view.setInt32(at + 16, nice, true)
  view.setUint32(at + 20, priority, true)
  setUint64(view, at + 24, runtime)
  setUint64(view, at + 32, deadline)
  setUint64(view, at + 40, period)
}

export function planIoPriority(plan: Plan, ioPriority: IoPriority): void {
  const { class: name, priority = 0 } = ioPriority
  plan.step(`set process.ioPriority to ${name} ${priority}`, 'ioprio_set', [
    IOPRIO_WHO_PROCESS,
    0,
    ioPriorityValue(ioPriority),
  ])
}

/** As ioprio_set(2) takes it. */
export function ioPriorityValue({ class: name, priority = 0 }: IoPriority): number {
  return (IOPRIO_CLASS[name] << IOPRIO_CLASS_SHIFT) | priority
}

/** More than any kernel is built for (CONFIG_NR_CPUS), bytes. */
const CPU_SET_BYTES = 1024

function everyCpu(plan: Plan): Bytes {
  return plan.struct(
    CPU_SET_BYTES,
    () => '{all}',
    (view, at) => {
      for (let offset = 0; offset < CPU_SET_BYTES; offset += 4) view.setUint32(at + offset, 0xffffffff)
    },
  )
}

/** Pins to the CPUs of the list at `field`, or lets go of all: the kernel keeps the affinity inside the cpuset. */
export function planAffinity(plan: Plan, field: string, list: string | undefined): void {
  const mask = list ? bitmask(plan, parseNumberList(list, field), list) : everyCpu(plan)
  plan.step(list ? `set ${field} to ${list}` : `set ${field} to the cpuset`, 'sched_setaffinity', [
    0,
    mask.length,
    mask,
  ])
}
