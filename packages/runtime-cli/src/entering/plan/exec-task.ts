import type { Arch } from '@crio-lxc/core/abi/arch'
import { type ContainerEntry, fdsOf } from '@crio-lxc/core/plan/container-entry'
import { type Fork, forksIntoCgroup } from '@crio-lxc/core/plan/join-cgroup'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { type ExecFds, planExec } from '@crio-lxc/init/exec-plan'
import type { PlannedProcess } from '@crio-lxc/init/process-plan'

/** What there is of the host and of the container for a process of exec, as data. */
export interface ExecTaskInputs {
  readonly arch: Arch
  readonly process: PlannedProcess
  readonly entry: ContainerEntry
  readonly fds: Omit<ExecFds, 'preserved'>
  /** Fds of the caller that the process keeps. */
  readonly preserved: readonly number[]
  readonly traced: boolean
}

/** With what its process is launched. */
export interface ExecTask {
  readonly plan: Plan
  /** All that it inherits beside its report. */
  readonly fds: readonly number[]
  readonly forks: readonly Fork[]
}

export function planExecTask({ arch, process, entry, fds, preserved, traced }: ExecTaskInputs): ExecTask {
  const { console, acknowledge } = fds
  return {
    plan: planExec({ arch, process, entry, fds: { ...fds, preserved }, traced }),
    fds: [
      ...preserved,
      ...fdsOf(entry),
      ...(console === undefined ? [] : [console.socket]),
      ...(acknowledge === undefined ? [] : [acknowledge]),
    ],
    // The last fork is into the pid namespace.
    forks: [...forksIntoCgroup(entry.cgroup), 'told by the parent'],
  }
}
