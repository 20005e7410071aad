/**
 * What a verb asks of crio-lxc-hook: `crio-lxc-hook REQUEST ANSWER`, two inherited fds. REQUEST is a file with a
 * HookRequest in JSON; ANSWER is a pipe that takes lines of JSON: a HookStart before each hook, then a HookAnswer. When the
 * reader of ANSWER goes away, so do crio-lxc-hook and the hook that runs.
 */

import type { HookPoint } from '../oci/hook-points.ts'
import type { Hook } from '../oci/spec.ts'
import type { State } from '../oci/state.ts'
import type { ContainerEntry } from '../plan/container-entry.ts'

export interface HookRequest {
  /**
   * Absolute path of crio-lxc-init, which becomes the hook. What this field is called is what a `run` asks the crio-lxc-hook of a
   * later build for, when it has lived through an upgrade.
   */
  readonly init: string
  readonly runs: readonly HookRun[]
  /** How long it may take until a hook is executed, the verb's time-out; how long the hook takes then is its own `timeout` alone. */
  readonly enterMs: number
  /** The verb is traced, and wants to know when each hook begins. */
  readonly traced?: boolean
}

/** The hooks of one point; they run in their order, and a run only when those before it have succeeded. */
export interface HookRun {
  readonly point: HookPoint
  readonly hooks: readonly Hook[]
  /** What each hook reads from its stdin. */
  readonly state: HookState
  /** Given when the hooks run in the container's namespaces. */
  readonly container?: HookContainer
}

/** runtime.md, "State", and nothing else. */
export type HookState = Omit<State, 'pid' | 'rootfs' | 'created' | 'owner'> & { readonly pid?: number }

export interface HookContainer extends ContainerEntry {
  /** Given when the hook is what the container's process is: user, capabilities, limits, seccomp, cwd. */
  readonly process?: {
    /** Path of config.json, as create kept it. */
    readonly config: string
    /** The operator's feature gates. */
    readonly seccomp: boolean
    readonly capabilities: boolean
    readonly apparmor: boolean
  }
}

/** The process that is about to become a hook, which waits until this is written: whoever reads it can end the hook. */
export interface HookStart {
  /** Leader of a session, and child of crio-lxc-hook. */
  readonly pid: number
  /** Field and path, the beginning of a sentence. */
  readonly hook: string
  /** Milliseconds of CLOCK_MONOTONIC, when the request asks for it. */
  readonly at?: number
}

export interface HookAnswer {
  /** One sentence for every hook that failed, in their order. */
  readonly failures: readonly string[]
}
