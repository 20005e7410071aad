import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import type { HookContainer, HookRequest } from '@crio-lxc/core/hook/hook-request'
import { keptSeccomp } from '@crio-lxc/core/host/container/seccomp-program'
import { boundingSet, everyCapability } from '@crio-lxc/core/host/process/proc'
import { hookPoints } from '@crio-lxc/core/oci/hook-points'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { withUser } from '@crio-lxc/core/oci/with-defaults'
import { joinsUserNamespace } from '@crio-lxc/core/plan/container-entry'
import { readFile } from '@crio-lxc/core/sys/files'
import type { HookEntry } from '@crio-lxc/init/hook-plan'
import { planProcess } from '@crio-lxc/init/process-plan'
import { type HookCall, runHook } from './run-hook.ts'

/**
 * Runs every hook of the request in order. Returns a sentence for each that failed: the first ends it all, unless the
 * rules of its point say that the others run all the same.
 */
export function runHooks({ init: executor, runs, enterMs, traced = false }: HookRequest, answer: number): string[] {
  const failures: string[] = []
  for (const { point, hooks, state, container } of runs) {
    const entry = container && entryOf(container)
    for (const [index, hook] of hooks.entries()) {
      const name = `hooks.${point}[${index}]: ${hook.path}`
      const failure = attempt({ hook, name, state, container: entry, executor, enterMs, traced, answer })
      if (failure === undefined) continue
      failures.push(`${name} ${failure}`)
      if (!hookPoints[point].goesOn) return failures
    }
  }
  return failures
}

/** Whatever keeps a hook from running is its failure, and no reason to leave out the hooks after it. */
function attempt(call: HookCall): string | undefined {
  try {
    return runHook(call)
  } catch (error) {
    return `could not be run: ${messageOf(error)}`
  }
}

function entryOf({ namespaces, cgroup, newKeyring, process: asProcess }: HookContainer): HookEntry {
  const entry = { namespaces, cgroup, newKeyring }
  if (!asProcess) return { ...entry, process: undefined }
  const { process: given, linux } = parseJson(readFile(asProcess.config), asProcess.config) as Spec
  const directory = asProcess.config.replace(/\/[^/]*$/, '')
  // What cannot be granted create has warned about. The environment is the hook's own.
  const process = planProcess(withUser(given), {
    linux,
    featureGates: asProcess,
    home: undefined,
    capabilities: joinsUserNamespace(namespaces) ? everyCapability() : boundingSet(),
    filterOf: (seccomp) => keptSeccomp(directory, seccomp),
  })
  return { ...entry, process }
}
