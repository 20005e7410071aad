/** What a container is made of, as data: what create has taken from its caller and from the host. */
import type { Arch } from '@crio-lxc/core/abi/arch'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { OpenCgroup } from '@crio-lxc/core/plan/join-cgroup'
import type { ProcessFacts } from '@crio-lxc/init/process-plan'
import type { GateFds } from '@crio-lxc/init/steps/gate'
import type { MovedDevices } from '@crio-lxc/init/steps/net-devices'
import type { PlacedMount } from '@crio-lxc/init/steps/remount'
import type { StdioDevice } from '@crio-lxc/init/steps/stdio'
import type { Console } from '@crio-lxc/init/steps/terminal'
import type { OpenNamespaces } from '../../namespaces/plan/open-namespaces.ts'
import type { FeatureGates } from '../../settings.ts'
import { fdsOfSources, type OpenCgroupMounts, type Sources } from '../../sources/plan/open-sources.ts'

/** What create knows before it has made anything. */
export interface OpenedInputs {
  readonly arch: Arch
  readonly id: string
  /** As the container has it: with what the runtime adds to its mounts and its environment. */
  readonly spec: Spec & { readonly mounts: readonly PlacedMount[] }
  readonly featureGates: FeatureGates
  readonly programs: { readonly libexec: string; readonly stage: string; readonly monitor: string }
  readonly containerLogLevel: string
  readonly namespaces: OpenNamespaces
  /** Of the container's user namespace; undefined: it has the runtime's. */
  readonly userNamespace: IdMappings | undefined
  readonly sources: Sources
  readonly netDevices: MovedDevices | undefined
  /** Given when create has something to do while init waits. */
  readonly gate: GateFds | undefined
  readonly console: Console | undefined
  /** The caller's descriptors that the process keeps. */
  readonly preserved: readonly number[]
  readonly newKeyring: boolean
  readonly process: Pick<ProcessFacts, 'home' | 'capabilities'>
  /** The plans note when they begin what. */
  readonly traced: boolean
}

/** The same once the container has its place: what it inherits is complete. */
export interface OccupiedInputs extends OpenedInputs {
  readonly cgroupMounts: OpenCgroupMounts
}

/** Everything. */
export interface CreationInputs extends OccupiedInputs {
  /** Of stdin, stdout and stderr, what init replaces by nodes of the container's own. */
  readonly stdio: readonly StdioDevice[]
  readonly monitor: MonitorFds
}

/** The numbers of what the monitor and init inherit beside the container's. */
export interface MonitorFds {
  /** The container's. */
  readonly cgroup: OpenCgroup
  readonly config: number
  readonly log: number
  /** Read end of the pipe on which create says that the container's plan is written; and the file that it is written to. */
  readonly go: number
  readonly plan: number
  /** The wait plan. */
  readonly wait: number
  /** Write end of the pipe that create reads. */
  readonly report: number
  /** The directory of the start fifo. */
  readonly fifoDirectory: number
}

/** What init inherits of the container's, under the same numbers. */
export function inheritedFds(inputs: OccupiedInputs): number[] {
  const { preserved, sources, cgroupMounts, namespaces, gate, console } = inputs
  const { fetched } = netDevicesOf(inputs)
  return [
    ...preserved,
    ...fdsOfSources(sources),
    ...cgroupMounts.staged.map(({ fd }) => fd),
    ...namespaces.joined.values(),
    ...(gate ? [gate.go] : []),
    ...(gate?.hostTree ? [gate.hostTree.fd] : []),
    ...(fetched ? [fetched.socket] : []),
    ...(console ? [console.socket] : []),
  ]
}

/** linux.netDevices by who moves them: init fetches them, but from a user namespace, where it may not. */
export function netDevicesOf<Devices extends MovedDevices>({
  userNamespace,
  netDevices,
}: {
  readonly userNamespace: IdMappings | undefined
  readonly netDevices: Devices | undefined
}): { readonly moved: Devices | undefined; readonly fetched: Devices | undefined } {
  return userNamespace ? { moved: netDevices, fetched: undefined } : { moved: undefined, fetched: netDevices }
}

/** The detached mounts of the host as a user namespace gets them; undefined without one. */
export function stagedMounts({ userNamespace, sources, cgroupMounts }: OccupiedInputs): Sources['staged'] | undefined {
  return userNamespace && [...sources.staged, ...cgroupMounts.staged]
}
