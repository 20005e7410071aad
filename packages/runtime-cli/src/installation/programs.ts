import { libexecDir } from '@crio-lxc/core/sys/program'
import type { Settings } from '../settings.ts'

/** What is installed below libexec for the verbs to start; settings may name other programs. */
export interface Programs {
  readonly libexec: string
  /** What liblxc takes for the container's rootfs. Its `init` is crio-lxc-init, and may be another file than `executor` below. */
  readonly stage: string
  /** crio-lxc-start. */
  readonly monitor: string
  /** crio-lxc-init. */
  readonly executor: string
  /** crio-lxc-hook. */
  readonly hook: string
}

export function programsOf({ startCommand, initCommand, containerHook }: Settings): Programs {
  const libexec = libexecDir()
  return {
    libexec,
    stage: `${libexec}/stage`,
    monitor: startCommand ?? `${libexec}/crio-lxc-start`,
    executor: initCommand ?? `${libexec}/crio-lxc-init`,
    hook: containerHook ?? `${libexec}/crio-lxc-hook`,
  }
}
