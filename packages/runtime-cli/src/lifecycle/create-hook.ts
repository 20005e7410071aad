/**
 * The operator's own hook after create (`--create-hook`, the seed's CRIO_LXC_CREATE_HOOK): for collecting what a failed create
 * would take away from whoever looks later. Whatever becomes of it, create's outcome stays. Loaded only where there is one.
 */

import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import { checkContainerId } from '@crio-lxc/core/host/container/container-id'
import { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { log } from '@crio-lxc/core/host/log/logger'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { signalPidfd } from '@crio-lxc/core/host/process/pidfd'
import { close, poll } from '@crio-lxc/core/sys/fd'
import { O_RDWR, withFile } from '@crio-lxc/core/sys/files'
import { pidfdOpen } from '@crio-lxc/core/sys/process'
import { type Exit, spawn, wait } from '@crio-lxc/core/sys/spawn'
import type { CreateOptions } from '../creation/create-options.ts'
import type { Settings } from '../settings.ts'

/** `create`, then the hook; `command` is the verb. Returns or throws what `create` does; a failure of the hook is a warning. */
export async function withCreateHook<Result>(
  settings: Settings,
  { id, bundle, command }: CreateOptions & { readonly command: string },
  create: () => Promise<Result>,
): Promise<Result> {
  const { root, createHook, timeouts, logFile } = settings
  const info = new ContainerInfo(root, checkContainerId(id))
  const run = (error?: unknown): void => {
    if (createHook === undefined) return
    // The seed's variables, and no others.
    const variables = {
      CONTAINER_ID: id,
      LXC_CONFIG: info.configFilePath(),
      RUNTIME_CMD: command,
      RUNTIME_PATH: info.runtimePath(),
      BUNDLE_PATH: bundle,
      SPEC_PATH: `${bundle}/config.json`,
      LOG_FILE: logFile ?? '',
      ...(error !== undefined && { RUNTIME_ERROR: messageOf(error) }),
    }
    const env = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    runCreateHook(createHook, env, timeouts.createHookMs)
  }
  let result: Result
  try {
    result = await create()
  } catch (error) {
    run(error)
    throw error
  }
  run()
  return result
}

function runCreateHook(path: string, env: readonly string[], timeoutMs: number): void {
  const done = phaseLog('create')
  try {
    const problem = failureOf(runWithin(path, env, timeoutMs), timeoutMs)
    if (problem === undefined) done('create hook', `ran ${path}`)
    else log.warn(`run the create hook ${path}: ${problem}`, { c: 'create' })
  } catch (error) {
    log.warn(`run the create hook ${path}: ${messageOf(error)}`, { c: 'create' })
  }
}

/** undefined when it was killed after its time. What it prints goes nowhere: the caller reads our output. */
function runWithin(path: string, env: readonly string[], timeoutMs: number): Exit | undefined {
  const pid = withFile('/dev/null', O_RDWR, (none) =>
    spawn({ path, args: [path], env, fds: [], stdin: none, stdout: none, stderr: none }),
  )
  const pidfd = pidfdOpen(pid)
  try {
    const [ended] = poll([pidfd], timeoutMs)
    if (!ended) signalPidfd(pidfd, SIGKILL)
    const exit = wait(pid)
    return ended ? exit : undefined
  } finally {
    close(pidfd)
  }
}

function failureOf(exit: Exit | undefined, timeoutMs: number): string | undefined {
  if (exit === undefined) return `it took longer than ${timeoutMs} ms, and was killed`
  if ('signal' in exit) return `it was killed by signal ${exit.signal}`
  return exit.code === 0 ? undefined : `it ended with exit code ${exit.code}`
}
