/**
 * create: from a bundle to an init that waits for start. The order is chosen for speed and for safety: what can be
 * refused is refused before anything exists, the monitor joins its cgroup while the plan is compiled, and the pid file
 * appears only when nothing can fail any more.
 */

import { presentCgroup } from '@crio-lxc/core/cgroup/apply-writes'
import { openCgroup, removeDirectories } from '@crio-lxc/core/cgroup/cgroupfs'
import { resolveCgroupsPath } from '@crio-lxc/core/cgroup/cgroups-path'
import { cgroupOwner, delegateCgroup } from '@crio-lxc/core/cgroup/delegate'
import { cgroupOf } from '@crio-lxc/core/cgroup/exec-cgroup'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { checkContainerId } from '@crio-lxc/core/container/container-id'
import { type ContainerFacts, ContainerInfo } from '@crio-lxc/core/container/container-info'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { hasCreateHooks, hasHooks, hooksAfterCreate } from '@crio-lxc/core/hook/hook-points'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { openNetDevices } from '@crio-lxc/core/host/net-devices'
import { stepLog } from '@crio-lxc/core/log/step-log'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { terminationMessageMount } from '@crio-lxc/core/oci/termination-message'
import { ACKNOWLEDGE_FIFO } from '@crio-lxc/core/plan/fifo-names'
import { planTag } from '@crio-lxc/core/plan/plan'
import { fileIdentity, identify, type ProcessIdentity } from '@crio-lxc/core/process/proc'
import { close } from '@crio-lxc/core/sys/fd'
import { makeFifo } from '@crio-lxc/core/sys/files'
import { effectiveUid, ownPid, setUmask } from '@crio-lxc/core/sys/program'
import type { Console } from '@crio-lxc/init/steps/terminal'
import { lxcConfig } from '@crio-lxc/start-monitor/lxc-config'
import { connectCaller, sendPidfd } from '../caller/caller-socket.ts'
import { notifierOf } from '../caller/notifier.ts'
import { listenEnvironment, preservedFds } from '../caller/preserved-fds.ts'
import { fixStdio } from '../caller/stdio.ts'
import { identifyMessage } from '../caller/termination-message.ts'
import { type ManagerOf, managersOf } from '../creation/cgroup-managers.ts'
import { Gate } from '../creation/gate.ts'
import { type LoadedSpec, loadSpec } from '../creation/load-spec.ts'
import { Monitor } from '../creation/monitor.ts'
import { moveNetDevices } from '../creation/move-net-devices.ts'
import type { ResctrlGroup } from '../creation/resctrl.ts'
import { planResources } from '../creation/resource-plan.ts'
import { checkHooks, checkHooksWithAgent } from '../hooks/check-hooks.ts'
import { companionsOf } from '../installation/companions.ts'
import { hostArch } from '../installation/host-arch.ts'
import { type OpenNamespaces, openNamespaces, sharesPids, sharesSysfs } from '../namespaces/namespaces.ts'
import { userNamespaceOf } from '../namespaces/user-namespace.ts'
import { traceOf } from '../plan-process/trace-of.ts'
import { killContainer } from '../removal/kill-container.ts'
import type { Settings } from '../settings.ts'
import { cgroupMounts } from '../sources/cgroup-mounts.ts'
import { idMapperOf } from '../sources/id-mappers.ts'
import { openSources } from '../sources/sources.ts'
import { Undo } from '../undo.ts'

export interface CreateOptions {
  readonly id: string
  /** Absolute path. */
  readonly bundle: string
  /** Its config.json, when it has been read already. */
  readonly loaded?: LoadedSpec
  readonly pidFile?: string
  readonly consoleSocket?: string
  /** Of the runtime's own, instead of consoleSocket. */
  readonly console?: Console
  /** Changes nothing: what it is for, a rootfs on a ramdisk, works because the pivot happens inside the stage. */
  readonly noPivot?: boolean
  readonly noNewKeyring?: boolean
  readonly preserveFds?: number
  /** Sockets of sd_listen_fds(3) among the caller's fds, before those of preserveFds. */
  readonly listenFds?: number
  /** Path of the unix socket that takes a pidfd of init. */
  readonly pidfdSocket?: string
  /** The caller's NOTIFY_SOCKET, if it is not empty: the container gets one of its own, on which start listens. */
  readonly notifySocket?: string | undefined
}

/** Throws RuntimeError; then nothing is left of the container. */
export async function create(settings: Settings, options: CreateOptions): Promise<ContainerInfo> {
  const managerOf = await managersOf(settings)
  const info = new ContainerInfo(settings.root, checkContainerId(options.id))
  const undo = new Undo()
  const fds = new Undo()
  try {
    await build(info, { settings, options, managerOf, undo, fds })
  } catch (error) {
    const undone = stepLog('create')
    fds.run(error)
    undo.run(error)
    undone('undo', 'failed, and undid what it had done')
    throw error
  }
  fds.run(undefined)
  return info
}

interface Build {
  readonly settings: Settings
  readonly options: CreateOptions
  readonly managerOf: ManagerOf
  /** What exists on the host and is removed when create fails. */
  readonly undo: Undo
  /** What create has open, closed in either case. */
  readonly fds: Undo
}

async function build(info: ContainerInfo, { settings, options, managerOf, undo, fds }: Build): Promise<void> {
  const done = stepLog('create')
  const trace = await traceOf('create')
  const traced = trace !== undefined
  const arch = hostArch()
  const { listenFds = 0, preserveFds = 0 } = options
  const preserved = preservedFds(listenFds + preserveFds)
  const notify = await notifierOf(options)
  const { spec, text } = options.loaded ?? loadSpec(options.bundle, settings.featureGates)
  checkOptions(spec, options)
  const without = settings.withoutCgroup ? await import('../creation/without-cgroup.ts') : undefined
  without?.checkWithoutCgroup(spec)
  done('config', `${options.bundle}/config.json is valid`, { bundle: options.bundle, bytes: text.length })
  // The modes of what create makes are its own, not the caller's.
  setUmask(0o022)
  const { featureGates, timeouts } = settings
  const companions = companionsOf(settings)
  const layout = cgroupLayout()
  const rootfs = spec.root.path.startsWith('/') ? spec.root.path : `${options.bundle}/${spec.root.path}`
  const { id } = options
  const placement = resolveCgroupsPath(spec.linux?.cgroupsPath, {
    id,
    systemd: settings.systemdCgroup,
    none: settings.withoutCgroup,
  })
  const cgroupDir = placement.path
  const resources = planResources(spec, presentCgroup(layout, cgroupDir), featureGates)
  const manager = managerOf({
    id,
    layout,
    placement,
    monitorCgroup: settings.monitorCgroup,
    resident: settings.monitorMode === 'resident',
    annotations: spec.annotations,
    ...resources,
    init: companions.init,
    arch,
    timeoutMs: timeouts.createMs,
  })

  const closeLater = (open: Iterable<number>): void =>
    fds.push(() => {
      for (const fd of open) close(fd)
    })
  let { console } = options
  if (options.consoleSocket !== undefined) {
    const socket = connectCaller('console', options.consoleSocket, timeouts.createMs)
    closeLater([socket])
    console = { socket, plainLines: false }
  }
  const pidfdSocket =
    options.pidfdSocket === undefined ? undefined : connectCaller('pidfd', options.pidfdSocket, timeouts.createMs)
  if (pidfdSocket !== undefined) closeLater([pidfdSocket])
  const namespaces = openNamespaces(spec)
  closeLater(namespaces.shared.values())
  const mapping = { arch, init: companions.init, timeoutMs: timeouts.createMs, namespaces }
  const userNamespace = userNamespaceOf(spec, mapping)
  const idMapper = await idMapperOf(spec, mapping)
  if (idMapper) fds.push(() => idMapper.close())
  const sources = openSources(spec, {
    bundle: options.bundle,
    rootfs,
    ids: userNamespace,
    idMapper,
    hostSysfs: sharesSysfs(namespaces),
  })
  closeLater(sources.fds)
  const netDevices = openNetDevices(spec.linux?.netDevices)
  if (netDevices) closeLater([netDevices.socket])
  const [moved, fetched] = userNamespace ? [netDevices] : [undefined, netDevices]
  done('sources', `opened the rootfs ${rootfs}, ${sources.mounts.size} mount sources and ${describe(namespaces)}`)
  const ownMounts = namespaces.created.has('mount')
  checkHooks(spec.hooks, { ownMounts, hook: companions.hook })
  const runner = hasHooks(spec.hooks) ? await import('../hooks/hooks.ts') : undefined
  const gate = Gate.of(spec, { libexec: companions.libexec, rootfs, ownMounts, movesDevices: moved !== undefined })
  if (gate) fds.push(() => gate.close())
  const hooks = hooksAfterCreate(spec.hooks)
  const resctrl = await resctrlGroup(spec, id)

  const madeCgroups = manager.missingDirectories()
  const facts: ContainerFacts = {
    containerId: options.id,
    createdAt: new Date().toISOString(),
    runtimeRoot: settings.root,
    bundlePath: options.bundle,
    ...(options.consoleSocket !== undefined && { consoleSocket: options.consoleSocket }),
    ...(options.pidFile !== undefined && { pidFile: options.pidFile }),
    monitorCgroupDir: manager.monitorPath,
    cgroupDir,
    ...(without && { withoutCgroup: true }),
    ...(manager.units && { systemdUnits: manager.units }),
    ...featureGates,
    ...(options.noNewKeyring && { noNewKeyring: true }),
    ...(spec.annotations !== undefined && { annotations: spec.annotations }),
    ...(spec.linux?.namespaces !== undefined && { namespaces: spec.linux.namespaces }),
    ...(hooks && { hooks }),
    ...(resctrl && { resctrl: resctrl.facts }),
    rootfs,
    owner: ownerName(),
    ociVersion: spec.ociVersion,
    creator: ownIdentity(),
    initExecutable: fileIdentity(`${companions.stage}/init`) ?? '',
    madeCgroups,
  }
  info.create(facts, { 'config.json': text })
  let environmentExists = false
  // The last thing to be undone: poststop is after the container has been destroyed.
  undo.push(() => {
    if (hooks?.poststop && environmentExists) runner?.runPoststopHooks(settings, facts, hooks)
  })
  undo.push(() => info.remove())
  manager.checkUnused()
  undo.push(() => manager.undo())
  undo.push(() => removeDirectories(madeCgroups))
  fds.push(() => manager.close())
  manager.make()
  const cgroupUid = cgroupOwner(spec, { layout, created: namespaces.created, ids: userNamespace })
  if (cgroupUid !== undefined) delegateCgroup(layout, cgroupDir, cgroupUid)
  const prepared = notify?.addNotifySocket({ spec, sources }, info)
  if (prepared) closeLater([prepared.fd])
  const container = prepared ?? { spec, sources }
  done('cgroups', `made ${info.runtimePath()} and the cgroup ${cgroupDir}`, { cgroup: cgroupDir, madeCgroups })
  const callers = without && cgroupOf(ownPid())
  const cgroup = cgroupMounts(spec, {
    layout,
    pathOf: callers ?? (() => cgroupDir),
    created: namespaces.created,
    detached: sources.mounts,
  })
  closeLater(cgroup.fds)
  if (resctrl) {
    resctrl.make(undo)
    done('resctrl', `made the resctrl group ${resctrl.facts.group}`)
  }

  const staged = [...container.sources.staged, ...cgroup.staged]
  undo.push(() => killContainer(layout, cgroupDir, timeouts.killMs))
  // The monitor inherits them.
  const stdio = fixStdio(spec.process.user, {
    namespace: userNamespace,
    label: spec.linux?.mountLabel,
    byInit: !userNamespace,
  })
  const monitor = new Monitor(info, {
    arch,
    companions,
    cgroup: openCgroup(layout, cgroupDir, { others: resctrl?.facts.tasks, instead: callers }),
    hostTree: gate?.plan.hostTree?.fd,
    timeNamespace: namespaces.shared.get('time'),
    timeOffsets: userNamespace && namespaces.created.has('time') ? spec.linux?.timeOffsets : undefined,
    staged: userNamespace && staged,
    hostPids: userNamespace !== undefined && sharesPids(namespaces),
    traced,
    inherited: [
      ...preserved,
      ...container.sources.fds,
      ...cgroup.fds,
      ...namespaces.shared.values(),
      ...(gate?.inherited ?? []),
      ...(fetched ? [fetched.socket] : []),
      ...(console ? [console.socket] : []),
    ],
    config: (given) =>
      lxcConfig({
        libexec: companions.libexec,
        newNamespaces: [...namespaces.created],
        sharedNamespaces: namespaces.shared,
        idMappings: userNamespace,
        ...given,
        logLevel: settings.containerLogLevel,
      }),
  })
  fds.push(() => monitor.close())
  // liblxc's own log goes with the container.
  undo.push(() => monitor.keepLog())
  undo.push(() => monitor.end())
  const guard = without && new without.InitGuard(monitor)
  if (guard) undo.push(() => guard.end(timeouts.killMs))
  done('launch', `launched the monitor, pid ${monitor.pid}`, { pid: monitor.pid })

  // From here on liblxc makes the namespaces meanwhile: what is needed from here on is loaded from here on.
  const { planContainer, appliedSeccomp, processInputs, resolveDestinations, applyDevicePlan } = await import(
    '../creation/after-launch.ts'
  )
  const { agentOf, awaitInit, identifyInit, publishInit } = await import('../creation/after-launch.ts')
  const profile = appliedSeccomp(spec.linux, featureGates)
  const seccomp = profile && (await import('../creation/compiled-seccomp.ts')).compiledSeccomp(info, profile)
  const env = [...(container.spec.process.env ?? []), ...listenEnvironment(listenFds)]
  const process = processInputs(
    { ...spec.process, env },
    {
      linux: spec.linux,
      gates: featureGates,
      root: sources.rootfs,
      userNamespace: userNamespace !== undefined,
      seccomp,
    },
  )
  if (seccomp?.notifies) checkHooksWithAgent(spec.hooks)
  const mounts = resolveDestinations(container.spec.mounts ?? [], container.sources)
  const plan = planContainer({
    arch,
    spec: { ...spec, mounts },
    process,
    namespaces: {
      all: new Set([...namespaces.created, ...namespaces.shared.keys()]),
      created: namespaces.created,
    },
    fds: {
      ...container.sources,
      cgroupNamespace: namespaces.shared.get('cgroup'),
      fifoDirectory: monitor.fifoDirectory,
      report: monitor.reportWrite,
      console,
      stdio: console ? [] : stdio,
      netDevices: fetched,
      gate: gate?.plan,
      preserved: preserved.length,
    },
    cgroup: cgroup.mounts,
    newKeyring: !options.noNewKeyring,
    userNamespace: userNamespace && { staged },
    traced,
  })
  const seccompAgent = agentOf(spec.linux?.seccomp, seccomp?.notifies ?? false)
  if (seccompAgent) makeFifo(info.runtimePath('fifo', ACKNOWLEDGE_FIFO), 0o644)
  manager.limit()
  if (resources.devices) applyDevicePlan(cgroupDir, resources.devices)
  done('plan', `wrote a plan of ${plan.steps.length} steps and ${resources.writes.length} cgroup limits`)
  environmentExists = true
  monitor.go(plan)
  const message = terminationMessageMount(spec)
  const messageFile = message && sources.mounts.get(message.index)?.fd
  const waiting = {
    plan,
    command: spec.process.args[0] ?? '',
    message: messageFile,
    timeoutMs: timeouts.createMs,
    trace,
  }
  awaitInit(monitor, gate ? 'waiting' : 'ready', waiting)
  manager.joined()
  manager.limitForks()
  if (gate) {
    done('wait', 'init has made the mounts, and waits')
    const init = identifyInit(monitor)
    if (moved) {
      moveNetDevices(moved, init, { arch, init: companions.init, timeoutMs: timeouts.createMs })
      done('network devices', 'moved the network devices')
    }
    if (spec.hooks && hasCreateHooks(spec.hooks)) {
      runner?.runCreateHooks(settings, facts, { hooks: spec.hooks, init })
      done('hooks', 'ran the hooks of create')
    }
    gate.open()
    awaitInit(monitor, 'ready', waiting)
  }
  guard?.remember()
  done('wait', 'init is ready: mounts, devices, user and capabilities are set, the executable is found')
  trace?.end((tag) =>
    tag === planTag.launch
      ? { pid: monitor.pid, name: 'crio-lxc-init, then crio-lxc-start' }
      : { pid: monitor.initPid(), name: `init of ${id}` },
  )
  if (pidfdSocket !== undefined)
    sendPidfd(pidfdSocket, monitor.initPid(), { word: 'standard', timeoutMs: settings.timeouts.createMs })
  const resident = settings.monitorMode === 'resident' ? manager : undefined
  const pid = publishInit(info, {
    monitor,
    spec,
    unprivileged: userNamespace !== undefined,
    plan,
    seccompAgent,
    message: message && messageFile !== undefined ? identifyMessage(messageFile, message.path) : undefined,
    resident,
    withoutCgroup: settings.withoutCgroup,
  })
  seccomp?.remember()
  done('publish', `init is pid ${pid}, the monitor ${resident ? 'stays' : 'has ended'}`, { pid })
}

/** An empty linux.intelRdt asks for a group of the container's own, where the host has them. */
async function resctrlGroup({ linux }: Spec, id: string): Promise<ResctrlGroup | undefined> {
  if (!linux?.intelRdt || !hostHas('resctrl')) return undefined
  const { ResctrlGroup } = await import('../creation/resctrl.ts')
  return ResctrlGroup.of(linux.intelRdt, id)
}

function describe({ created, shared }: OpenNamespaces): string {
  const list = (types: Iterable<string>): string => [...types].join(', ') || 'none'
  return `namespaces (new: ${list(created)}; joined: ${list(shared.keys())})`
}

function ownerName(): string {
  const uid = effectiveUid()
  return uid === 0 ? 'root' : String(uid)
}

function ownIdentity(): ProcessIdentity {
  return identify(ownPid()) ?? { pid: ownPid(), startTime: 0 }
}

function checkOptions(spec: Spec, { consoleSocket, console }: CreateOptions): void {
  const hasSocket = consoleSocket !== undefined || console !== undefined
  if (spec.process.terminal && !hasSocket)
    throw new RuntimeError('usage', 'process.terminal is true: give the socket for the terminal with --console-socket')
  if (!spec.process.terminal && hasSocket)
    throw new RuntimeError('usage', 'process.terminal is false: --console-socket has no terminal to send')
}
