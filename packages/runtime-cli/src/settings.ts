/**
 * What every verb knows: the global flags after the order flag > environment (CRIO_LXC_*) > defaults file > default.
 * The command line makes it once; the lifecycle only reads it.
 */
export interface Settings {
  /** Runtime root, absolute: one directory per container (`--root`, CRIO_LXC_ROOT). */
  readonly root: string
  /** True when the caller named the root: a missing one is then an error for `list`. */
  readonly rootIsExplicit: boolean
  /** cgroupsPath is `slice:prefix:name` (`--systemd-cgroup`, CRIO_LXC_SYSTEMD_CGROUP). */
  readonly systemdCgroup: boolean
  /** Containers are made in the caller's cgroup and have none of their own (`--cgroup-manager disabled`). */
  readonly withoutCgroup: boolean
  /** Path below each hierarchy where resident monitors live (`--monitor-cgroup`, CRIO_LXC_MONITOR_CGROUP). */
  readonly monitorCgroup: string
  readonly monitorMode: MonitorMode
  /** Level of liblxc's own log for the container (`--container-log-level`, CRIO_LXC_CONTAINER_LOG_LEVEL). */
  readonly containerLogLevel: string
  /** Replacements of the programs below libexec; undefined: the installed ones. */
  readonly startCommand: string | undefined
  readonly initCommand: string | undefined
  readonly containerHook: string | undefined
  /** A program that is run after each create (`--create-hook`, CRIO_LXC_CREATE_HOOK). */
  readonly createHook: string | undefined
  /** The operators' log, which the create hook is told of (`--log-file`, CRIO_LXC_LOG_FILE). */
  readonly logFile: string | undefined
  readonly featureGates: FeatureGates
  readonly timeouts: Timeouts
}

/**
 * Who is init's parent after create: the caller where it is a subreaper, else the nearest one above it or pid 1 (`handover`);
 * or liblxc's monitor (`resident`).
 */
export type MonitorMode = 'handover' | 'resident'

/** A feature gate that is off makes create ignore the part of the spec it names: the operator's explicit choice. */
export interface FeatureGates {
  readonly seccomp: boolean
  readonly capabilities: boolean
  readonly apparmor: boolean
  readonly cgroupDevices: boolean
}

/** Milliseconds; `--create-timeout` and its kin take Go durations ("60s", "1m30s"). */
export interface Timeouts {
  readonly createMs: number
  readonly startMs: number
  readonly killMs: number
  readonly deleteMs: number
  readonly createHookMs: number
}
