import { PR_SET_CHILD_SUBREAPER } from '@crio-lxc/core/abi/constants'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { ContainerFacts, ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { log } from '@crio-lxc/core/host/log/logger'
import { prctl } from '@crio-lxc/core/sys/process'
import type { NotifySocket } from '../caller/notify-socket.ts'
import type { CreateOptions } from '../creation/create-options.ts'
import { loadSpec } from '../documents/load-spec.ts'
import { SignalRelay } from '../foreground/signal-relay.ts'
import { supervise } from '../foreground/supervise.ts'
import { TerminalProxy } from '../foreground/terminal-proxy.ts'
import type { Settings } from '../settings.ts'
import { create } from './create.ts'
import { deleteContainer } from './delete.ts'
import { orDelete } from './or-delete.ts'
import { start, startToForward } from './start.ts'

export interface RunOptions extends CreateOptions {
  readonly detach: boolean
  /** Leave the stopped container for `state` and `delete`. */
  readonly keep: boolean
}

/** run: create, start and, in the foreground, wait and delete. Returns the exit code of the container's process. */
export async function run(settings: Settings, options: RunOptions): Promise<number> {
  return options.detach ? await runDetached(settings, options) : await runInForeground(settings, options)
}

async function runDetached(settings: Settings, options: RunOptions): Promise<number> {
  const info = await createFor(settings, options)
  await orDelete(settings, factsOf(info), () => start(settings, options.id, { ...options, notifyOptional: true }))
  return 0
}

/** Those that create has left: container.json may be another's by now. */
function factsOf(info: ContainerInfo): ContainerFacts {
  return info.facts ?? info.load()
}

async function createFor(settings: Settings, options: CreateOptions): Promise<ContainerInfo> {
  if (settings.createHook === undefined) return create(settings, options)
  const { withCreateHook } = await import('./create-hook.ts')
  return withCreateHook(settings, { ...options, command: 'run' }, () => create(settings, options))
}

async function runInForeground(settings: Settings, options: RunOptions): Promise<number> {
  // Init is handed to the nearest subreaper when the monitor ends: that must be this process.
  prctl(PR_SET_CHILD_SUBREAPER, 1)
  const relay = new SignalRelay()
  relay.hold()
  try {
    const loaded = loadSpec(options.bundle, settings.featureGates)
    const terminal = options.consoleSocket === undefined && loaded.spec.process.terminal
    const proxy = terminal ? new TerminalProxy() : undefined
    const handover: Settings = { ...settings, monitorMode: 'handover' }
    const info = await createFor(handover, {
      ...options,
      loaded,
      ...(proxy && { console: { socket: proxy.socket, plainLines: proxy.plainLines } }),
    })
    const { creator: madeBy } = factsOf(info)
    const pid = info.pid()
    const notifier = await startOrDelete(settings, options, { info, proxy })
    // The main process of the service is this one, which ends with the container's exit code.
    const notified = notifier?.forward({ mainPid: false }).catch((error) => log.warn(messageOf(error)))
    const code = await supervise(pid, relay, proxy)
    await notified
    if (!options.keep) await deleteContainer(settings, options.id, { force: true, madeBy })
    return code
  } finally {
    relay.close()
  }
}

async function startOrDelete(
  settings: Settings,
  options: RunOptions,
  { info, proxy }: { readonly info: ContainerInfo; readonly proxy: TerminalProxy | undefined },
): Promise<NotifySocket | undefined> {
  try {
    return await orDelete(settings, factsOf(info), () => {
      proxy?.connect(settings.timeouts.createMs)
      return startToForward(settings, options.id, { ...options, notifyOptional: true })
    })
  } catch (error) {
    proxy?.close()
    throw error
  }
}
