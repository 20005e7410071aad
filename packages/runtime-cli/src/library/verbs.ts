/** The verbs as a thread of an embedding program runs them, by name; each takes and returns values that threads exchange. */

import { encode } from '@crio-lxc/core/abi/bytes'
import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-info'
import { openProcess, signalPidfd } from '@crio-lxc/core/host/process/pidfd'
import { close, type Fd, poll } from '@crio-lxc/core/sys/fd'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { exitCode, wait } from '@crio-lxc/core/sys/spawn'
import { loadContainer } from '../container/load-container.ts'
import { acceptProcess } from '../documents/load-process.ts'
import { acceptSpec } from '../documents/load-spec.ts'
import { create } from '../lifecycle/create.ts'
import { withCreateHook } from '../lifecycle/create-hook.ts'
import { withPreview } from '../lifecycle/debug-plan.ts'
import { deleteContainer } from '../lifecycle/delete.ts'
import { execDetached } from '../lifecycle/exec.ts'
import { kill } from '../lifecycle/kill.ts'
import { start } from '../lifecycle/start.ts'
import type { Settings } from '../settings.ts'
import type { CreateOptions, ExecOptions, StartOptions } from './options.ts'
import { type Plans, plansOf } from './plans.ts'

/** A process that is killed in vain is in the kernel's hands. */
const DEATH_MS = 5000

export const verbs = {
  async create(settings: Settings, id: string, { spec, ...options }: CreateOptions): Promise<ContainerFacts> {
    const { bundle } = options
    const loaded = spec && acceptSpec(encode(JSON.stringify(spec)), bundle, settings.featureGates)
    const all = { ...options, id, ...(loaded && { loaded }) }
    const info = await withCreateHook(settings, { ...all, command: 'create' }, () => create(settings, all))
    return info.facts ?? info.load()
  },

  start: (settings: Settings, id: string, options: StartOptions): Promise<void> => start(settings, id, options),

  async kill(settings: Settings, id: string, signal: number, options: { readonly all: boolean }): Promise<void> {
    kill(settings, id, signal, options)
  },

  delete: (settings: Settings, id: string, options: { readonly force: boolean }): Promise<void> =>
    deleteContainer(settings, id, options),

  async exec(settings: Settings, id: string, options: ExecOptions): Promise<number> {
    const pid = execAccepted(settings, id, options)
    const pidfd = pidfdOpen(pid)
    try {
      poll([pidfd], -1)
      return exitCode(wait(pid))
    } catch (error) {
      signalPidfd(pidfd, SIGKILL)
      if (poll([pidfd], DEATH_MS)[0]) wait(pid)
      throw error
    } finally {
      close(pidfd)
    }
  },

  execDetached: async (settings: Settings, id: string, options: ExecOptions): Promise<number> =>
    execAccepted(settings, id, options),

  /** The exit code of a child of this process, else undefined. */
  async wait(settings: Settings, id: string, pid: number | undefined): Promise<number | undefined> {
    const { init } = pid === undefined ? loadContainer(settings, id) : {}
    if (pid === undefined && !init) throw new ErrNotRunning(id)
    const pidfd = pid === undefined ? init && openProcess(init.init) : openIfThere(pid)
    const waited = pid ?? init?.init.pid ?? 0
    try {
      if (pidfd !== undefined) poll([pidfd], -1)
      return exitCode(wait(waited))
    } catch (error) {
      if (codeOf(error) === 'ECHILD') return undefined
      throw error
    } finally {
      if (pidfd !== undefined) close(pidfd)
    }
  },

  planAll: (settings: Settings, _id: string, bundle: string): Promise<Plans> =>
    withPreview(settings, { bundle }, plansOf),
} as const

function execAccepted(settings: Settings, id: string, { process, args, ...options }: ExecOptions): number {
  const given = process && { ...process, ...(args && { args }) }
  const accepted = given && acceptProcess(JSON.stringify(given), 'process', settings.featureGates)
  if (!args?.length && !accepted) throw new RuntimeError('usage', `exec in ${id}: name a program in args or process`)
  return execDetached(settings, id, {
    args: args ?? [],
    env: [],
    tty: false,
    additionalGids: [],
    caps: [],
    ...options,
    ...(accepted && { process: accepted }),
  })
}

function openIfThere(pid: number): Fd | undefined {
  try {
    return pidfdOpen(pid)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined
    throw error
  }
}
