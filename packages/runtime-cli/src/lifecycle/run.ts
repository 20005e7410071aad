import { PR_SET_CHILD_SUBREAPER } from '@crio-lxc/core/abi/constants'
import { prctl } from '@crio-lxc/core/sys/libc'
import { type CreateOptions, create } from './create.ts'
import { deleteContainer } from './delete.ts'
import { loadSpec } from './load-spec.ts'
import type { Settings } from './settings.ts'
import { start } from './start.ts'
import { supervise } from './supervise.ts'
import { TerminalProxy } from './terminal-proxy.ts'

export interface RunOptions extends CreateOptions {
  readonly detach: boolean
  /** Leave the stopped container for `state` and `delete`. */
  readonly keep: boolean
}

/** run: create, start and, in the foreground, wait and delete. Returns the exit code of the container's process. */
export async function run(settings: Settings, options: RunOptions): Promise<number> {
  const foreground = !options.detach
  // Init is handed to the nearest subreaper when the monitor ends: in the foreground that must be this process.
  if (foreground) prctl(PR_SET_CHILD_SUBREAPER, 1)
  const terminal =
    foreground &&
    options.consoleSocket === undefined &&
    loadSpec(options.bundle, settings.featureGates).spec.process.terminal
  const proxy = terminal ? new TerminalProxy() : undefined
  const handover: Settings = foreground ? { ...settings, monitorMode: 'handover' } : settings
  const info = await create(handover, { ...options, ...(proxy && { consoleFd: proxy.socket }) })
  try {
    proxy?.connect()
    await start(settings, options.id)
  } catch (error) {
    proxy?.close()
    await deleteContainer(settings, options.id, { force: true })
    throw error
  }
  if (!foreground) return 0
  const code = await supervise(info.pid(), proxy)
  if (!options.keep) await deleteContainer(settings, options.id, { force: true })
  return code
}
