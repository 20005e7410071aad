import { hasHooks, hooksAfterCreate } from '@crio-lxc/core/oci/hook-points'
import type { Hooks } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { checkHooks } from '../hooks/check-hooks.ts'
import type { Programs } from '../installation/programs.ts'
import { Gate } from './gate.ts'
import type { CreateRequest } from './refuse.ts'

export interface OpenedHooks {
  /** Loaded for a container with hooks only. */
  readonly runner: typeof import('../hooks/hooks.ts') | undefined
  /** Given when create has something to do while init waits. */
  readonly gate: Gate | undefined
  /** Those of the verbs after create. */
  readonly later: Hooks | undefined
}

export interface HookCircumstances {
  readonly programs: Programs
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** The container's mount namespace is new. */
  readonly ownMounts: boolean
  /** create moves linux.netDevices, not init. */
  readonly movesDevices: boolean
}

/** Throws SpecError for hooks that could not run as they should. */
export async function openHooks(
  { spec }: CreateRequest,
  { programs, rootfs, ownMounts, movesDevices }: HookCircumstances,
  fds: FdScope,
): Promise<OpenedHooks> {
  checkHooks(spec.hooks, { ownMounts, hook: programs.hook })
  const runner = hasHooks(spec.hooks) ? await import('../hooks/hooks.ts') : undefined
  const gate = Gate.of(spec, { libexec: programs.libexec, rootfs, ownMounts, movesDevices }, fds)
  return { runner, gate, later: hooksAfterCreate(spec.hooks) }
}
