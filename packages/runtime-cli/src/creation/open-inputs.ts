/**
 * Everything of the host that a container is made of, opened before anything of it exists: from this create and `debug plan`
 * make the same plans. What may be refused is refused here at the latest.
 */
import { hostHas } from '@crio-lxc/core/host/host-features'
import { type HostNetDevices, openNetDevices } from '@crio-lxc/core/host/net-devices'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Fd } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import type { Console } from '@crio-lxc/init/steps/terminal'
import { connectCaller } from '../caller/caller-socket.ts'
import { listenEnvironment } from '../caller/preserved-fds.ts'
import { processFacts } from '../entering/process-inputs.ts'
import { hostArch } from '../installation/host-arch.ts'
import { type Programs, programsOf } from '../installation/programs.ts'
import { type OpenedCgroup, openCgroupOf } from './open-cgroup.ts'
import { type OpenedHooks, openHooks } from './open-hooks.ts'
import { openTree, rootfsOf } from './open-tree.ts'
import type { OpenedInputs } from './plan/inputs.ts'
import type { CreateRequest } from './refuse.ts'
import type { ResctrlGroup } from './resctrl.ts'

export interface Opened {
  readonly request: CreateRequest
  /** For the planners. */
  readonly inputs: OpenedInputs
  readonly programs: Programs
  /** Absolute path of root.path. */
  readonly rootfs: string
  readonly cgroup: OpenedCgroup
  readonly hooks: OpenedHooks
  readonly netDevices: HostNetDevices | undefined
  /** Of linux.intelRdt. */
  readonly resctrl: ResctrlGroup | undefined
  /** Takes a pidfd of init. */
  readonly pidfdSocket: Fd | undefined
}

export interface OpenOptions {
  /** Nothing is changed on the host. */
  readonly preview: boolean
  /** The plans note when they begin what. */
  readonly traced: boolean
}

export async function openInputs(
  request: CreateRequest,
  { preview, traced }: OpenOptions,
  fds: FdScope,
): Promise<Opened> {
  const { settings, options, notifier } = request
  const programs = programsOf(settings)
  const rootfs = rootfsOf(request.spec, options.bundle)
  const cgroup = await openCgroupOf(request, programs)
  const console = openConsole(request, fds)
  const pidfdSocket = openCaller('pidfd', options.pidfdSocket, request, fds)
  const asked = notifier?.withNotifySocket(request.spec, `${settings.root}/${options.id}`) ?? request.spec
  const tree = await openTree(
    request,
    { executor: programs.executor, rootfs, mounts: asked.mounts ?? [], preview },
    fds,
  )
  const { namespaces, userNamespace, sources, mounts } = tree
  const netDevices = openNetDevices(request.spec.linux?.netDevices, fds)
  const ownMounts = namespaces.created.has('mount')
  const movesDevices = userNamespace !== undefined && netDevices !== undefined
  const hooks = await openHooks(request, { programs, rootfs, ownMounts, movesDevices }, fds)
  const spec = { ...asked, mounts, process: processOf(asked, options.listenFds) }
  const facts = processFacts(spec.process, { root: sources.rootfs, userNamespace: userNamespace !== undefined })
  const inputs: OpenedInputs = {
    arch: hostArch(),
    id: options.id,
    spec,
    featureGates: settings.featureGates,
    programs,
    containerLogLevel: settings.containerLogLevel,
    namespaces,
    userNamespace,
    sources,
    netDevices,
    gate: hooks.gate?.fds,
    console,
    preserved: request.preserved,
    newKeyring: !options.noNewKeyring,
    process: facts,
    traced,
  }
  const resctrl = await openResctrl(request)
  return { request, inputs, programs, rootfs, cgroup, hooks, netDevices, resctrl, pidfdSocket }
}

function openConsole(request: CreateRequest, fds: FdScope): Console | undefined {
  const { console, consoleSocket } = request.options
  const socket = openCaller('console', consoleSocket, request, fds)
  return socket === undefined ? console : { socket, plainLines: false }
}

function openCaller(
  kind: 'console' | 'pidfd',
  path: string | undefined,
  { settings }: CreateRequest,
  fds: FdScope,
): Fd | undefined {
  return path === undefined ? undefined : fds.keep(connectCaller(kind, path, settings.timeouts.createMs))
}

function processOf({ process }: Spec, listenFds = 0): Spec['process'] {
  return { ...process, env: [...(process.env ?? []), ...listenEnvironment(listenFds)] }
}

/** An empty linux.intelRdt asks for a group of the container's own, where the host has them. */
async function openResctrl({ spec: { linux }, options }: CreateRequest): Promise<ResctrlGroup | undefined> {
  if (!linux?.intelRdt || !hostHas('resctrl')) return undefined
  const { ResctrlGroup } = await import('./resctrl.ts')
  return ResctrlGroup.of(linux.intelRdt, options.id)
}
