/** What the arguments, the container's state and its config.json tell of an exec, before anything is opened for it. */

import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { frozenAbove } from '@crio-lxc/core/host/cgroup/frozen'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { parseJson } from '@crio-lxc/core/oci/json'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { withUser } from '@crio-lxc/core/oci/with-defaults'
import { readFile } from '@crio-lxc/core/sys/files'
import { readSize } from '@crio-lxc/core/sys/terminal'
import { preservedFds } from '../caller/preserved-fds.ts'
import { type Container, loadContainer } from '../container/load-container.ts'
import type { FeatureGates, Settings } from '../settings.ts'
import type { ExecOptions } from './exec-options.ts'
import { execProcess } from './exec-process.ts'

/** An exec against which nothing speaks that can be known by now. */
export interface ExecRequest {
  readonly settings: Settings
  readonly options: ExecOptions
  readonly container: Container
  readonly spec: Spec
  readonly process: Process
  /** Fds of the caller that the process keeps. */
  readonly preserved: readonly number[]
  /** The process has a terminal, and nobody but this one to pass its bytes on. */
  readonly needsProxy: boolean
}

export function refuse(settings: Settings, id: string, options: ExecOptions): ExecRequest {
  const preserved = preservedFds(options.preserveFds ?? 0)
  const container = loadContainer(settings, id)
  checkStatus(container, options)
  checkLabels(options, settings.featureGates)
  const spec = loadOwnSpec(container)
  const process = withSize(execProcess(spec.process, options))
  checkTerminal(process, options)
  const needsProxy = process.terminal === true && !options.detach && !options.consoleSocket
  return { settings, options, container, spec, process, preserved, needsProxy }
}

function checkStatus(
  { status, facts, info: { containerId: id } }: Container,
  { ignorePaused }: Pick<ExecOptions, 'ignorePaused'>,
): void {
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.execStopped}: ${phrase.notRunning}: ${id}`)
  if (status === 'paused' && !ignorePaused)
    throw new RuntimeError('wrong-state', `${phrase.execPaused}: ${id}: resume it or give --ignore-paused`)
  const frozen = ignorePaused ? undefined : frozenAbove(cgroupLayout(), facts.cgroupDir)
  if (frozen !== undefined)
    throw new RuntimeError(
      'wrong-state',
      `${phrase.execPaused}: ${id}: the cgroup ${frozen} around it is frozen: thaw that first`,
    )
  if (status === 'creating')
    throw new RuntimeError('wrong-state', `exec in ${id}: it is still being created: try again`)
}

/** A label that the host cannot apply would leave the process unconfined. */
export function checkLabels({ apparmorProfile, selinuxLabel }: ExecOptions, { apparmor }: FeatureGates): void {
  if (apparmorProfile && apparmor && !hostHas('AppArmor'))
    throw new RuntimeError('unsupported', `--apparmor ${apparmorProfile}: this host has no AppArmor`)
  if (selinuxLabel && !hostHas('SELinux'))
    throw new RuntimeError('unsupported', `--process-label ${selinuxLabel}: this host has no SELinux`)
}

/** The config.json that create has validated and kept. */
function loadOwnSpec({ info }: Container): Spec {
  const path = info.runtimePath('config.json')
  const spec = parseJson(readFile(path), path) as Spec
  return { ...spec, process: withUser(spec.process) }
}

/** A program that draws asks for the size at once, before the proxy could set it. */
export function withSize(process: Process): Process {
  const size = process.terminal && !process.consoleSize ? readSize(0) : undefined
  return size ? { ...process, consoleSize: size } : process
}

export function checkTerminal({ terminal }: Process, { detach, consoleSocket }: ExecOptions): void {
  if (terminal && detach && !consoleSocket)
    throw new RuntimeError('usage', 'a detached process with a terminal needs a socket for it: give --console-socket')
  if (!terminal && consoleSocket)
    throw new RuntimeError('usage', '--console-socket is for a process with a terminal: give --tty as well')
}
