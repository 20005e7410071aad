/** What a program says of a container, in the names of the seed. */
import type { SeedLevel } from '@crio-lxc/core/host/log/logger'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { absolutePath } from '@crio-lxc/core/sys/program'
import { toSettings } from '../command-line/configuration.ts'
import type { FeatureGates, MonitorMode, Settings, Timeouts } from '../settings.ts'

/**
 * The global settings of the seed. None is read from the environment or from a defaults file: what is not given has the
 * default of the command line.
 */
export interface RuntimeOptions {
  /** The runtime root, one directory per container; default: `/run/crio-lxc`. A relative path is made absolute at once. */
  readonly root?: string
  /** `cgroupsPath` is `slice:prefix:name`. */
  readonly systemdCgroup?: boolean
  /** Containers have no cgroup of their own. */
  readonly withoutCgroup?: boolean
  /** Path below each hierarchy where resident monitors live. */
  readonly monitorCgroup?: string
  /** Who is init's parent after create; default: `handover`. */
  readonly monitorMode?: MonitorMode
  /** Level of liblxc's own log of a container; default: `warn`. */
  readonly containerLogLevel?: string
  /** Replaces crio-lxc-start. */
  readonly startCommand?: string
  /** Replaces crio-lxc-init. */
  readonly initCommand?: string
  /** Replaces crio-lxc-hook. */
  readonly containerHook?: string
  /** A program that is run after each create. */
  readonly createHook?: string
  /** The operators' log, which the create hook is told of. */
  readonly logFile?: string
  /** Those that are not named are on. */
  readonly featureGates?: Partial<FeatureGates>
  /** Milliseconds; those that are not named have the defaults of the command line. */
  readonly timeouts?: Partial<Timeouts>
  /** The directory with crio-lxc-start, -init, -hook and the stage of an installed tree; default: the package's own. */
  readonly libexec?: string
}

/** How a call is given up: the promise is then rejected with the signal's reason, once what the call did has been undone. */
export interface CallOptions {
  /** `AbortSignal.timeout(ms)` is a context's deadline, `AbortController` its cancellation. */
  readonly signal?: AbortSignal | undefined
}

/** What create takes beside the container's id. */
export interface CreateOptions extends CallOptions {
  /** The directory of the bundle. */
  readonly bundle: string
  /** In place of the bundle's config.json, which need not exist then. */
  readonly spec?: Spec
  /** A file that takes init's pid. */
  readonly pidFile?: string
  /** Path of a unix socket that takes the terminal's master end, when `process.terminal` is true. */
  readonly consoleSocket?: string
  /** Path of a unix socket that takes a pidfd of init. */
  readonly pidfdSocket?: string
  /** The session keyring of the container is this program's. */
  readonly noNewKeyring?: boolean
  /** Path of a NOTIFY_SOCKET, sd_notify(3): the container gets one of its own, on which start listens. */
  readonly notifySocket?: string
}

/** What start takes beside the container's id. */
export interface StartOptions extends CallOptions {
  /** Path of a NOTIFY_SOCKET that is told when the container is ready; start waits for that. */
  readonly notifySocket?: string
  /** Nobody needs to listen there. */
  readonly notifyOptional?: boolean
}

/** What kill takes beside the signal. */
export interface KillOptions extends CallOptions {
  /** Every process of the container's cgroup, not only init. */
  readonly all?: boolean
}

/** What exec takes. */
export interface ExecOptions extends CallOptions {
  /** The program and its arguments; may be left out when `process` has them. */
  readonly args?: readonly string[]
  /** The document of the seed's `proc`: what it says goes before `user`, `cwd`, `env` and so on. */
  readonly process?: Process
  /** `uid[:gid]` */
  readonly user?: string
  readonly additionalGids?: readonly number[]
  readonly cwd?: string
  /** `NAME=value`, beside the variables of the container's process. */
  readonly env?: readonly string[]
  /** With a terminal, whose master end goes to `consoleSocket`. */
  readonly tty?: boolean
  readonly consoleSocket?: string
  /** Path of a unix socket that takes a pidfd of the process. */
  readonly pidfdSocket?: string
  /** A file that takes the pid of the process. */
  readonly pidFile?: string
  /** Capabilities beside those of the container's process. */
  readonly caps?: readonly string[]
  readonly noNewPrivs?: boolean
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
  /** Cgroups below the container's: PATH, or CONTROLLER[,CONTROLLER]:PATH for hierarchies of v1. */
  readonly cgroups?: readonly string[]
  /** Enter a paused container too: the process begins when it is resumed. */
  readonly ignorePaused?: boolean
}

/** Whose end is waited for. */
export interface WaitOptions extends CallOptions {
  /** A process that execDetached has returned; default: init. */
  readonly pid?: number
}

/** Where a Runtime's messages go. */
export interface LogOptions {
  /** The seed's log file, JSON lines. */
  readonly file?: string
  /** The least level of `file`; default: info. */
  readonly level?: SeedLevel
  /** Go's layout of the time in `file`. */
  readonly timestamp?: string
  /** The field `cmd` in `file`: the seed's cmdName. */
  readonly command?: string
  /** A log as runc's `--log`. */
  readonly runcLog?: string
  readonly runcFormat?: 'text' | 'json'
  /** Debug messages too, in both. */
  readonly debug?: boolean
}

/** The settings of the verbs. Throws RuntimeError `usage`. */
export function settingsOf(options: RuntimeOptions): Settings {
  const { root, featureGates, timeouts, libexec: _, ...others } = options
  const defaults = toSettings({ values: { root: root ?? '/run/crio-lxc' }, env: {} })
  return {
    ...defaults,
    ...others,
    rootIsExplicit: root !== undefined,
    featureGates: { ...defaults.featureGates, ...featureGates },
    timeouts: { ...defaults.timeouts, ...timeouts },
  }
}

/** What a thread is given must be of values alone. */
export function withoutSignal<Options extends CallOptions>({
  signal: _,
  ...options
}: Options): Omit<Options, 'signal'> {
  return options
}

/** Relative to the directory of this process now. */
export function absolute<Options extends { readonly bundle: string; readonly pidFile?: string }>(
  options: Options,
): Options {
  const { bundle, pidFile } = options
  return { ...options, bundle: absolutePath(bundle), ...(pidFile !== undefined && { pidFile: absolutePath(pidFile) }) }
}
