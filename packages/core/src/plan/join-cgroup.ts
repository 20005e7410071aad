/**
 * How a process gets into a cgroup without the wait of 8 to 11 ms that moving one costs: a write to cgroup.procs takes
 * cgroup_threadgroup_rwsem for writing, and that waits for an RCU grace period. A thread that moves itself does not
 * take it (cgroup_procs_write_start in kernel/cgroup/cgroup.c), nor does a process that is born where it belongs.
 */
import { CLONE_INTO_CGROUP, CLONE_PARENT } from '../abi/constants.ts'
import { type Label, type Plan, setUint64 } from './plan.ts'
import { pidRecord, planReport } from './record.ts'

/** A cgroup, open in every hierarchy. */
export interface OpenCgroup {
  /** `tasks` of v1 and of resctrl, open for writing. */
  readonly tasks: readonly number[]
  /** v2: the directory. */
  readonly unified: number | undefined
}

const CLONE_ARGS_SIZE = 88
const CGROUP_OFFSET = 80

export interface JoinOptions {
  /** Write end of the pipe that takes {0, pid} of the process that goes on, when it is another one. */
  readonly report: number
  /** The end of the plan, for the process that does not go on. */
  readonly end: Label
}

/** How often the plan's process goes on as its child to join it. */
export function forksIntoCgroup({ unified }: OpenCgroup): number {
  return unified === undefined ? 0 : 1
}

/**
 * The executor has one thread, so in v1 its own move is that of its process. In v2 it goes on as its child, which
 * CLONE_PARENT makes a child of the runtime too.
 */
export function planJoinCgroup(plan: Plan, { tasks, unified }: OpenCgroup, { report, end }: JoinOptions): void {
  const zero = plan.string('0')
  for (const fd of tasks) {
    plan.step("join the container's cgroup", 'write', [fd, zero, 1])
    plan.step('close its tasks', 'close', [fd])
  }
  if (unified === undefined) return
  const flags = CLONE_PARENT + CLONE_INTO_CGROUP
  const args = plan.struct(
    CLONE_ARGS_SIZE,
    () => `{flags=CLONE_PARENT|CLONE_INTO_CGROUP, cgroup=${unified}}`,
    (view, at) => {
      setUint64(view, at, flags)
      setUint64(view, at + CGROUP_OFFSET, unified)
    },
  )
  plan.step("fork into the container's cgroup", 'clone3', [args, CLONE_ARGS_SIZE], { onOk: end, onOkIfNonZero: true })
  plan.step("close the cgroup's directory", 'close', [unified])
  const { record, value: pid } = pidRecord(plan)
  plan.step('find the own pid', 'getpid', [], { result: pid })
  planReport(plan, 'report the pid', report, record)
}
