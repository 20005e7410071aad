/** When and where each list of hooks runs: runtime.md, "Lifecycle", and config.md, "POSIX-platform Hooks". */
import type { Hooks } from './spec.ts'
import type { Status } from './state.ts'

export type HookPoint = keyof Hooks

export interface HookPointRules {
  /** The verb that runs it; a create that fails runs those of delete. */
  readonly by: 'create' | 'start' | 'delete'
  /** What the state on stdin says. */
  readonly status: Status
  /** The namespaces that the hook runs in; its `pid` is the one that is seen there. */
  readonly namespaces: 'runtime' | 'container'
  /** A failure is a warning only, and the hooks after it run all the same. */
  readonly goesOn?: true
}

export const hookPoints: Readonly<Record<HookPoint, HookPointRules>> = {
  prestart: { by: 'create', status: 'creating', namespaces: 'runtime' },
  createRuntime: { by: 'create', status: 'creating', namespaces: 'runtime' },
  createContainer: { by: 'create', status: 'creating', namespaces: 'container' },
  startContainer: { by: 'start', status: 'created', namespaces: 'container' },
  poststart: { by: 'start', status: 'running', namespaces: 'runtime' },
  poststop: { by: 'delete', status: 'stopped', namespaces: 'runtime', goesOn: true },
}

/** The points of create, in their order: init waits for all of them between its mounts and its pivot_root. */
export const createPoints = ['prestart', 'createRuntime', 'createContainer'] as const satisfies HookPoint[]

export function hasHooks(hooks: Hooks = {}): boolean {
  return Object.values(hooks).some((list) => list.length > 0)
}

export function hasCreateHooks(hooks: Hooks): boolean {
  return createPoints.some((point) => hooks[point]?.length)
}

/** The hooks that are still to run when create has ended; undefined when there are none. */
export function hooksAfterCreate({ startContainer, poststart, poststop }: Hooks = {}): Hooks | undefined {
  const hooks: Hooks = {
    ...(startContainer?.length && { startContainer }),
    ...(poststart?.length && { poststart }),
    ...(poststop?.length && { poststop }),
  }
  return Object.keys(hooks).length > 0 ? hooks : undefined
}
