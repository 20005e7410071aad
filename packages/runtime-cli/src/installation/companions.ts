import { libexecDir } from '@crio-lxc/core/sys/program'
import type { Settings } from '../settings.ts'

/** The programs below libexec that the verbs start; settings may name others. */
export interface Companions {
  readonly libexec: string
  /** What liblxc takes for the container's rootfs. Its `init` is crio-lxc-init, and may be another file than `init` below. */
  readonly stage: string
  readonly start: string
  readonly init: string
  readonly hook: string
}

export function companionsOf({ startCommand, initCommand, containerHook }: Settings): Companions {
  const libexec = libexecDir()
  return {
    libexec,
    stage: `${libexec}/stage`,
    start: startCommand ?? `${libexec}/crio-lxc-start`,
    init: initCommand ?? `${libexec}/crio-lxc-init`,
    hook: containerHook ?? `${libexec}/crio-lxc-hook`,
  }
}
