/**
 * create: from a bundle to an init that waits for start. The order is chosen for speed and for safety: what can be
 * refused is refused before anything exists, the monitor joins its cgroup while the plan is compiled, and the pid file
 * appears only when nothing can fail any more.
 */
import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { withFdsAsync } from '@crio-lxc/core/sys/fd-scope'
import { setUmask } from '@crio-lxc/core/sys/program'
import type { CreateOptions } from '../creation/create-options.ts'
import { launch } from '../creation/launch.ts'
import { type Creation, occupy } from '../creation/occupy.ts'
import { type Opened, openInputs } from '../creation/open-inputs.ts'
import { refuse } from '../creation/refuse.ts'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { traceOf } from '../plan-process/trace-of.ts'
import type { Settings } from '../settings.ts'
import { Undo } from '../undo.ts'

/** Throws RuntimeError; then nothing is left of the container. */
export async function create(settings: Settings, options: CreateOptions): Promise<ContainerInfo> {
  checkContainerId(options.id)
  const undo = new Undo()
  return await withFdsAsync(async (claims) => {
    try {
      return await withFdsAsync((fds) => make(settings, options, { undo, fds, claims, done: phaseLog('create') }))
    } catch (error) {
      const undone = phaseLog('create')
      undo.run(error)
      undone('undo', 'failed, and undid what it had done')
      throw error
    }
  })
}

async function make(settings: Settings, options: CreateOptions, creation: Creation): Promise<ContainerInfo> {
  const { done, fds } = creation
  const trace = await traceOf('create')
  const request = await refuse(settings, options)
  done('config', `${options.bundle}/config.json is valid`, { bundle: options.bundle, bytes: request.text.length })
  // The modes of what create makes are its own, not the caller's.
  setUmask(0o022)
  const opened = await openInputs(request, { preview: false, traced: trace !== undefined }, fds)
  done('sources', describe(opened))
  try {
    return await realise(opened, creation, trace)
  } finally {
    opened.cgroup.manager.close()
  }
}

/** What leaves traces on the host. */
async function realise(opened: Opened, creation: Creation, trace: ProcessTrace | undefined): Promise<ContainerInfo> {
  const occupied = occupy(opened, creation)
  const launched = launch(occupied, creation)
  const { fill, awaitContainer, publish } = await import('../creation/after-launch.ts')
  const filled = await fill(launched, creation)
  awaitContainer(filled, creation, trace)
  publish(filled, creation)
  return occupied.info
}

function describe({ rootfs, inputs }: Opened): string {
  const { sources, namespaces } = inputs
  const list = (types: Iterable<string>): string => [...types].join(', ') || 'none'
  const words = `namespaces (new: ${list(namespaces.created)}; joined: ${list(namespaces.joined.keys())})`
  return `opened the rootfs ${rootfs}, ${sources.mounts.size} mount sources and ${words}`
}
