import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Hooks } from '@crio-lxc/core/oci/spec'

/** Refuses hooks that could not run as they should, while nothing exists yet. */
export function checkHooks(hooks: Hooks = {}, { ownMounts }: { ownMounts: boolean }): void {
  if (!ownMounts && hooks.createContainer?.length)
    throw new SpecError(
      'hooks.createContainer',
      'cannot run in a mount namespace given by path: its other processes would see the host: use createRuntime',
    )
}

/** Refuses hooks that a seccomp filter with an agent would hold up. */
export function checkHooksWithAgent(hooks: Hooks = {}): void {
  if (hooks.startContainer?.length)
    throw new SpecError(
      'hooks.startContainer',
      'not supported with SCMP_ACT_NOTIFY in linux.seccomp: the filter would wait for the agent in every hook: remove one of them',
    )
}
