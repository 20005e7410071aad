/**
 * How a process gets into a cgroup without the wait of 8 to 11 ms that moving one costs: a write to cgroup.procs takes
 * cgroup_threadgroup_rwsem for writing, and that waits for an RCU grace period. A thread that moves itself does not
 * take it (cgroup_procs_write_start in kernel/cgroup/cgroup.c), nor does a process that is born where it belongs.
 */
import { CLONE_INTO_CGROUP, CLONE_PARENT, O_CLOEXEC, O_WRONLY } from '../abi/constants.ts'
import { Label, type Plan, type Slot, setUint64 } from './plan.ts'
import { pidRecord, planReport, stillbornRecord } from './record.ts'

/** A cgroup, open in every hierarchy. */
export interface OpenCgroup {
  /** `tasks` of v1 and of resctrl, open for writing. */
  readonly tasks: readonly number[]
  /** v2: the directory. */
  readonly unified: number | undefined
}

const CLONE_ARGS_SIZE = 88
const CGROUP_OFFSET = 80
const FD_BYTES = 4
/** Two fds, and what is read with the second. */
const PIPE_ROOM = 16
/** All that a call on a pipe may fail with, or a filter around the runtime make of it. */
const anyError = { ignore: ['EIO', 'ENOMEM', 'EAGAIN', 'EPIPE', 'EPERM', 'ENOSYS'] } as const

export interface JoinOptions {
  /** Write end of the pipe that takes {0, pid} of the process that goes on, when it is another one. */
  readonly report: number
  /** The end of the plan, for the process that does not go on. */
  readonly end: Label
}

/** A fork of a plan's process, which goes on as its child: who of the two tells. */
export type Fork = 'told by the child' | 'told by the parent'

/** The forks that joining it takes. */
export function forksIntoCgroup({ unified }: OpenCgroup): readonly Fork[] {
  return unified === undefined ? [] : ['told by the child']
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
  const inside = new Label()
  const stillborn = stillbornRecord(plan)
  const reader = planBirth(plan, unified, { child: stillborn.value, inside, end })
  // It has a place in the cgroup until the runtime reaps it.
  planReport(plan, 'report the child that was killed', report, stillborn.record)
  planMove(plan, unified, end)
  plan.place(inside)
  plan.step('close the read end', 'close', [reader])
  plan.step("close the cgroup's directory", 'close', [unified])
  const { record, value: pid } = pidRecord(plan)
  plan.step('find the own pid', 'getpid', [], { result: pid })
  planReport(plan, 'report the pid', report, record)
}

interface Birth {
  /** Takes the child's pid. */
  readonly child: Slot
  readonly inside: Label
  readonly end: Label
}

/**
 * Ends the process when its child goes on `inside`. It does not where Linux, since 6.14, takes a cgroup that has been killed
 * before for one that is being killed: the child is then killed before it runs (kill_seq in kernel/cgroup/cgroup.c compares the
 * counts of the cgroups of both processes). A pipe says which: the child's byte, or the end of the file. Returns its read end.
 */
function planBirth(plan: Plan, unified: number, { child, inside, end }: Birth): Slot {
  const pair = plan.struct(
    PIPE_ROOM,
    () => '{pipe}',
    () => undefined,
  )
  const [reader, writer] = [plan.slot('reader'), plan.slot('writer')]
  const parent = new Label()
  plan.step('make a pipe to the child', 'pipe2', [pair, O_CLOEXEC])
  plan.step('take its read end', 'status', [plan.wordAt(pair, 0)], { result: reader })
  plan.step('take its write end', 'status', [plan.wordAt(pair, FD_BYTES)], { result: writer })
  planFork(plan, { flags: CLONE_PARENT + CLONE_INTO_CGROUP, cgroup: unified, goesOn: parent, child })
  // A child that cannot tell makes way for another, in silence: one process alone may report what goes wrong.
  plan.step('tell that the child lives', 'write', [writer, plan.string('0'), 1], { ...anyError, onIgnored: end })
  plan.step('close the write end', 'close', [writer], { onOk: inside })
  plan.place(parent)
  plan.step("close the parent's write end", 'close', [writer], anyError)
  plan.step('see that the child lives', 'read', [reader, pair, 1], {
    ...anyError,
    onIgnored: end,
    onOk: end,
    onOkIfNonZero: true,
  })
  return reader
}

/** The slow way, and then the same fork. */
function planMove(plan: Plan, unified: number, end: Label): void {
  const procs = plan.slot('procs')
  const path = plan.string('cgroup.procs')
  plan.step("open the container's cgroup.procs", 'openat', [unified, path, O_WRONLY | O_CLOEXEC], { result: procs })
  plan.step("move into the container's cgroup", 'write', [procs, plan.string('0'), 1])
  plan.step('close its cgroup.procs', 'close', [procs])
  planFork(plan, { flags: CLONE_PARENT, cgroup: undefined, goesOn: end })
}

interface ForkStep {
  readonly flags: number
  /** Only with CLONE_INTO_CGROUP. */
  readonly cgroup: number | undefined
  /** Where the parent goes on. */
  readonly goesOn: Label
  /** Takes the child's pid, for the parent. */
  readonly child?: Slot
}

function planFork(plan: Plan, { flags, cgroup, goesOn, child }: ForkStep): void {
  const args = plan.struct(
    CLONE_ARGS_SIZE,
    () => (cgroup === undefined ? '{flags=CLONE_PARENT}' : `{flags=CLONE_PARENT|CLONE_INTO_CGROUP, cgroup=${cgroup}}`),
    (view, at) => {
      setUint64(view, at, flags)
      setUint64(view, at + CGROUP_OFFSET, cgroup ?? 0)
    },
  )
  plan.step("fork into the container's cgroup", 'clone3', [args, CLONE_ARGS_SIZE], {
    ...(child && { result: child }),
    onOk: goesOn,
    onOkIfNonZero: true,
  })
}
