/** What a cgroup uses, in the form of runc's `events` (types/events.go): times in nanoseconds, sizes in bytes. PURE. */

export interface Stats {
  readonly cpu: CpuStats
  readonly cpuset: object
  readonly memory: MemoryStats
  readonly pids: { readonly current?: number; readonly limit?: number }
  readonly blkio: Readonly<Record<string, readonly BlkioEntry[]>>
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>
  /** What core/host/resctrl/group-stats.ts reads; empty without a group. */
  readonly intel_rdt: object
  /** The interfaces belong to the caller's network plugin. */
  readonly network_interfaces: null
}

export interface CpuStats {
  readonly usage: {
    readonly total?: number
    readonly percpu?: readonly number[]
    readonly percpu_kernel?: readonly number[]
    readonly percpu_user?: readonly number[]
    readonly kernel: number
    readonly user: number
  }
  readonly throttling: {
    readonly periods?: number
    readonly throttledPeriods?: number
    readonly throttledTime?: number
  }
}

export interface MemoryEntry {
  /** 2^64 - 1 where v2 has no limit. */
  readonly limit: number | bigint
  readonly usage?: number
  readonly max?: number
  readonly failcnt: number
}

export interface MemoryStats {
  readonly cache?: number | bigint
  readonly usage: MemoryEntry
  readonly swap: MemoryEntry
  readonly kernel: MemoryEntry
  readonly kernelTCP: MemoryEntry
  readonly raw?: Readonly<Record<string, number | bigint>>
}

export interface BlkioEntry {
  readonly major?: number
  readonly minor?: number
  readonly op?: string
  readonly value?: number
}

export interface HugetlbStats {
  readonly usage?: number
  readonly max?: number
  readonly failcnt: number
}
