/** What `state` prints (runtime.md, State), with the fields that runc adds and callers read. */
export interface State {
  /** Version of the runtime-spec that this document complies with. */
  readonly ociVersion: string
  readonly id: string
  readonly status: Status
  /** Init's pid on the host; 0 when the container is stopped (CRI-O reads that as "gone"). */
  readonly pid: number
  /** Absolute path of the bundle. */
  readonly bundle: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Absolute path of the root filesystem on the host (runc). */
  readonly rootfs: string
  /** RFC 3339 with fractions of a second, UTC (runc; containerd parses it). */
  readonly created: string
  /** User name of who created it, may be empty (runc). */
  readonly owner: string
}

/** The spec's four, and runc's `paused`. */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped'
