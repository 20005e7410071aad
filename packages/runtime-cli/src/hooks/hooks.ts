/**
 * OCI hooks as the verbs see them: what is run when, by one crio-lxc-hook a call. Everything about the processes of
 * hooks is in packages/hook, so that a container without hooks pays nothing for it.
 */

import { O_PATH } from '@crio-lxc/core/abi/constants'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { HookContainer, HookRun } from '@crio-lxc/core/hook/hook-request'
import { openCgroup } from '@crio-lxc/core/host/cgroup/cgroupfs'
import { cgroupOf } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import type { ContainerFacts } from '@crio-lxc/core/host/container/container-info'
import { log } from '@crio-lxc/core/host/log/logger'
import { pidInside } from '@crio-lxc/core/host/process/pid-namespace'
import type { ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { createPoints, hookPoints } from '@crio-lxc/core/oci/hook-points'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Hooks, Spec } from '@crio-lxc/core/oci/spec'
import { close } from '@crio-lxc/core/sys/fd'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { readFile } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'
import { environment } from '@crio-lxc/core/sys/program'
import { environmentOf, lacksHome } from '@crio-lxc/init/environment'
import { homeOf } from '../entering/home.ts'
import { openContainerNamespaces } from '../namespaces/container-namespaces.ts'
import type { Settings } from '../settings.ts'
import { runHooks } from './hook-runner.ts'

/** The hooks between the container's environment and pivot_root. Throws RuntimeError `hook-failed`. */
export function runCreateHooks(settings: Settings, facts: ContainerFacts, { hooks, init }: Initialised): void {
  withContainer(facts, init, (container) => {
    const runs = createPoints.map((point) => runOf(point, { facts, hooks, init, container }))
    demand(runHooks(settings, runs, settings.timeouts.createMs))
  })
}

/** The hooks before the container's program is executed, as its user. Throws RuntimeError `hook-failed`. */
export function runStartContainerHooks(settings: Settings, facts: ContainerFacts, started: Started): void {
  const { hooks, init, config } = started
  if (!hooks.startContainer?.length) return
  withContainer(facts, init, (entry) => {
    const { seccomp, capabilities, apparmor } = facts
    const container = { ...entry, process: { config, seccomp, capabilities, apparmor } }
    const environment = environmentOfContainer(config, init)
    const run = runOf('startContainer', { facts, hooks, init, container, environment })
    demand(runHooks(settings, [run], settings.timeouts.startMs))
  })
}

/** The hooks after the container's program has been executed. Throws RuntimeError `hook-failed`. */
export function runPoststartHooks(settings: Settings, facts: ContainerFacts, { hooks, init }: Initialised): void {
  demand(runHooks(settings, [runOf('poststart', { facts, hooks, init })], settings.timeouts.startMs))
}

/** The hooks after a container has been deleted: nothing of it is there to fail any more, so all goes to the log. */
export function runPoststopHooks(settings: Settings, facts: ContainerFacts, hooks: Hooks): void {
  try {
    const failures = runHooks(settings, [runOf('poststop', { facts, hooks })], settings.timeouts.deleteMs)
    for (const failure of failures) log.warn(failure, { c: 'hook' })
  } catch (error) {
    log.warn(`run hooks.poststop: ${messageOf(error)}`, { c: 'hook' })
  }
}

export interface Initialised {
  readonly hooks: Hooks
  readonly init: ProcessIdentity
}

export interface Started extends Initialised {
  /** Path of config.json, as create kept it. */
  readonly config: string
}

interface Run {
  readonly facts: ContainerFacts
  readonly hooks: Hooks
  readonly init?: ProcessIdentity
  readonly container?: HookContainer
  /** That of a hook without `env`; default: the runtime's. */
  readonly environment?: readonly string[]
}

function runOf(point: keyof Hooks, { facts, hooks, init, container, environment = ownEnvironment() }: Run): HookRun {
  const pid = init?.pid
  const { status, namespaces } = hookPoints[point]
  const inside = namespaces === 'container' && pid !== undefined
  return {
    point,
    hooks: (hooks[point] ?? []).map((hook) => ({ env: environment, ...hook })),
    state: {
      ociVersion: facts.ociVersion,
      id: facts.containerId,
      status,
      ...(pid !== undefined && { pid: inside ? pidInside(pid) : pid }),
      bundle: facts.bundlePath,
      ...(facts.annotations && { annotations: facts.annotations }),
    },
    ...(inside && container && { container }),
  }
}

function ownEnvironment(): string[] {
  return Object.entries(environment()).map(([name, value]) => `${name}=${value}`)
}

/** What the container's process will have. */
function environmentOfContainer(config: string, { pid }: ProcessIdentity): string[] {
  const { process } = parseJson(readFile(config), config) as Spec
  if (!lacksHome(process)) return environmentOf(process, undefined)
  const root = openat2(-100, `/proc/${pid}/root`, { flags: O_PATH, resolve: 0 })
  try {
    return environmentOf(process, homeOf(process.user.uid, root))
  } finally {
    close(root)
  }
}

function withContainer(facts: ContainerFacts, init: ProcessIdentity, use: (container: HookContainer) => void): void {
  withFds((fds) => {
    const where = { others: facts.resctrl?.tasks, instead: cgroupOf(init.pid) }
    const { tasks, unified } = openCgroup(cgroupLayout(), facts.cgroupDir, where, fds)
    const namespaces = openContainerNamespaces(init, fds)
    use({ namespaces, cgroup: { tasks, unified }, newKeyring: !facts.noNewKeyring })
  })
}

function demand([failure]: readonly string[]): void {
  if (failure !== undefined) throw new RuntimeError('hook-failed', failure)
}
