/**
 * Containers in the caller's cgroup (`--cgroup-manager disabled`). What a cgroup is asked for elsewhere, which processes
 * are the container's, their pid namespace tells.
 */

import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { itemOf } from '@crio-lxc/core/oci/field-path'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { endProcess } from '../removal/end-process.ts'
import type { Monitor } from './monitor.ts'

const FLAG = '--cgroup-manager disabled'

/** Throws SpecError for what only a cgroup of its own makes safe. */
export function checkWithoutCgroup({ linux, mounts = [] }: Spec): void {
  const pid = linux?.namespaces?.find(({ type }) => type === 'pid')
  if (!pid || pid.path)
    throw new SpecError(
      'linux.namespaces',
      `with ${FLAG} nothing but a pid namespace of its own tells a container's processes: add a new one`,
    )
  mounts.forEach(({ type, options = [] }, index) => {
    if ((type === 'cgroup' || type === 'cgroup2') && !options.includes('ro'))
      throw new SpecError(
        itemOf('mounts', index),
        `with ${FLAG} it shows the caller's cgroup, whose processes it could end: add the option "ro"`,
      )
  })
}

/** Ends init when create fails, which its cgroup is emptied for elsewhere. */
export class InitGuard {
  readonly #monitor: Monitor
  #init: ProcessIdentity | undefined

  constructor(monitor: Monitor) {
    this.#monitor = monitor
  }

  /** The monitor is about to end, and could not be asked then. Throws RuntimeError when init has ended. */
  remember(): void {
    this.#init = this.#monitor.identifyInit()
  }

  end(timeoutMs: number): void {
    try {
      this.#init ??= this.#monitor.identifyInit()
    } catch {
      // There is none, or it goes with the monitor.
      return
    }
    endProcess(this.#init, timeoutMs)
  }
}
