/**
 * Every kind of failure that a user or a caller may see. The phrases below are read by programs, so each
 * stands here once and is pinned by test/unit/core/errors/codes.test.ts.
 */
export type ErrorCode =
  | 'usage'
  | 'invalid-id'
  | 'invalid-spec'
  | 'unsupported'
  | 'exists'
  | 'not-exist'
  | 'wrong-state'
  | 'not-running'
  | 'create-failed'
  | 'start-failed'
  | 'exec-failed'
  | 'hook-failed'
  | 'cgroup'
  | 'io'
  | 'liblxc'
  | 'timeout'

/** Sentences that callers look for, with who reads them. */
export const phrase = {
  /** runc's users. The seed's ErrExist is told by its class. */
  exists: 'container with given ID already exists',
  /** containerd (delete: success; kill: no such container), podman state, the seed's ErrNotExist. */
  notExist: 'container does not exist',
  /** CRI-O runtimeCmd and containerd checkKillError: the container is already gone. */
  notRunning: 'container not running',
  invalidId: 'invalid container ID format',
  deleteRunning: 'cannot delete container that is not stopped',
  startStopped: 'cannot start a container that has stopped',
  startRunning: 'cannot start an already running container',
  execStopped: 'cannot exec in a stopped container',
  notPaused: 'container not paused',
  execPaused: 'cannot exec in a paused container',
} as const
