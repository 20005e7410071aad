/**
 * `linux.resources` of config.json, and the document that `update --resources` reads (config-linux.md, Control
 * groups). Field names are those of cgroup v1, which the spec kept; cgroup/ translates them.
 */
import type { Int64, Uint16, Uint32, Uint64 } from './integers.ts'

export interface Resources {
  /** Device access rules, the later ones win [Allowed Device list]. */
  readonly devices?: readonly DeviceRule[]
  readonly memory?: MemoryResources
  readonly cpu?: CpuResources
  readonly pids?: PidsResources
  readonly blockIO?: BlockIoResources
  /** Per page size [Huge page limits]. */
  readonly hugepageLimits?: readonly HugepageLimit[]
  readonly network?: NetworkResources
  /** Device name (`mlx5_1`) to its limits [RDMA]. */
  readonly rdma?: Readonly<Record<string, RdmaLimits>>
  /** Name of a cgroup v2 file to what is written there [Unified]. */
  readonly unified?: Readonly<Record<string, string>>
}

/** [Allowed Device list] */
export interface DeviceRule {
  readonly allow: boolean
  /** Absent: all. */
  readonly type?: 'a' | 'b' | 'c' | ''
  /** Absent or -1: all. */
  readonly major?: DeviceRuleNumber
  readonly minor?: DeviceRuleNumber
  /** Some of `r`, `w`, `m`; other letters are without effect, as with runc; absent: all. */
  readonly access?: string
}

/**
 * -1 is any number.
 * @asType integer
 * @minimum -1
 * @maximum 4294967295
 */
export type DeviceRuleNumber = number

/** Bytes; -1 is unlimited; 0 leaves the limit as it is [Memory]. */
export interface MemoryResources {
  readonly limit?: Int64
  readonly reservation?: Int64
  /** Memory and swap together. */
  readonly swap?: Int64
  /** Deprecated by the spec; later kernels have no such limit. */
  readonly kernel?: Int64
  /** Deprecated by the spec. */
  readonly kernelTCP?: Int64
  /** 0 to 100; zero is a value. */
  readonly swappiness?: Uint64
  readonly disableOOMKiller?: boolean
  readonly useHierarchy?: boolean
  /** `update` refuses a limit below the present usage. */
  readonly checkBeforeUpdate?: boolean
}

/** Times in microseconds; 0 leaves the value as it is [CPU]. */
export interface CpuResources {
  /** Relative weight, 2 to 262144. */
  readonly shares?: Uint64
  /** CPU time in one period; -1 is unlimited. */
  readonly quota?: Int64
  /** Unused time of earlier periods that may be spent at once. */
  readonly burst?: Uint64
  readonly period?: Uint64
  readonly realtimeRuntime?: Int64
  readonly realtimePeriod?: Uint64
  /** List of CPUs like `0-3,7`. */
  readonly cpus?: string
  /** List of memory nodes. */
  readonly mems?: string
  /** 1: SCHED_IDLE for the whole cgroup. */
  readonly idle?: Int64
}

/** [PIDs] */
export interface PidsResources {
  /** Processes and threads; -1 is unlimited. */
  readonly limit?: Int64
}

/** [Block IO] */
export interface BlockIoResources {
  /** 10 to 1000. */
  readonly weight?: Uint16
  readonly leafWeight?: Uint16
  readonly weightDevice?: readonly WeightDevice[]
  /** Bytes per second. */
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[]
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[]
  /** Operations per second. */
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[]
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[]
}

export interface WeightDevice {
  readonly major: Uint32
  readonly minor: Uint32
  readonly weight?: Uint16
  readonly leafWeight?: Uint16
}

export interface ThrottleDevice {
  readonly major: Uint32
  readonly minor: Uint32
  readonly rate: Uint64
}

/** [Huge page limits] */
export interface HugepageLimit {
  /** Like `2MB`. */
  readonly pageSize: string
  /** Bytes. */
  readonly limit: Uint64
}

/** [Network] */
export interface NetworkResources {
  /** net_cls class of the packets. */
  readonly classID?: Uint32
  readonly priorities?: readonly InterfacePriority[]
}

export interface InterfacePriority {
  readonly name: string
  readonly priority: Uint32
}

/** [RDMA] */
export interface RdmaLimits {
  readonly hcaHandles?: Uint32
  readonly hcaObjects?: Uint32
}
