import { RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { hasHooks } from '@crio-lxc/core/oci/hook-points'
import type { Hooks } from '@crio-lxc/core/oci/spec'
import { checkExecutable } from '@crio-lxc/core/sys/files'

export interface HookCircumstances {
  /** The container's mount namespace is new. */
  readonly ownMounts: boolean
  /** Path of crio-lxc-hook. */
  readonly hook: string
}

/** Refuses hooks that could not run as they should, while nothing exists yet: those of later verbs, too. */
export function checkHooks(hooks: Hooks = {}, { ownMounts, hook }: HookCircumstances): void {
  if (!ownMounts && hooks.createContainer?.length)
    throw new SpecError(
      'hooks.createContainer',
      'cannot run in a mount namespace given by path: its other processes would see the host: use createRuntime',
    )
  if (!hasHooks(hooks)) return
  try {
    checkExecutable(hook)
  } catch (cause) {
    // "no such file or directory" would be a word about the container's program to Docker and podman: exit code 127.
    const reason = codeOf(cause) === 'ENOENT' ? 'it is missing' : reasonOf(cause)
    throw new RuntimeError('create-failed', `hooks need ${hook}: ${reason}: install it again`, { cause })
  }
}

/** Refuses hooks that a seccomp filter with an agent would hold up. */
export function checkHooksWithAgent(hooks: Hooks = {}): void {
  if (hooks.startContainer?.length)
    throw new SpecError(
      'hooks.startContainer',
      'not supported with SCMP_ACT_NOTIFY in linux.seccomp: the filter would wait for the agent in every hook: remove one of them',
    )
}
