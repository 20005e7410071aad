/**
 * Proof that a container which was timed has run. A runtime that does nothing and exits with 0 would be the fastest of
 * all, so what each command claims is looked up in /proc and in the cgroup tree, always outside the timed intervals.
 */
import { existsSync, readlinkSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupMounts, cgroupsOf, isAlive, namespaceOf } from '../support/proc.ts'

/** A container and the runtime that says it made it. */
export interface Claim {
  /** The runtime's name in the tables. */
  readonly name: string
  /** The directory given as --root. */
  readonly root: string
  readonly bundle: string
  readonly id: string
}

/** What is known of a container whose init exists. */
export interface Proven extends Claim {
  /** Init, as create wrote it to its pid file. */
  readonly pid: number
  /** Its cgroups, as directories of the host. */
  readonly cgroups: readonly string[]
}

/** How long a process may take to become what a command says it is: more than any loaded machine needs. */
const patienceMs = 5000

/** After create: the process of the pid file is alive and has namespaces of its own. */
export function proveCreated(claim: Claim, pid: number): Proven {
  if (!(pid > 0) || !isAlive(pid)) deny(claim, 'create', `there is no process ${pid || 'in its pid file'}`)
  for (const kind of ['pid', 'mnt'])
    if (namespaceOf(pid, kind) === namespaceOf('self', kind))
      deny(claim, 'create', `process ${pid} has the ${kind} namespace of the host`)
  return { ...claim, pid, cgroups: cgroupDirectories(pid) }
}

/** After start, which may return before init has become the program: it is busybox, on the root of the bundle. */
export async function proveStarted(container: Proven): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!runsThePayload(container)) {
    if (Date.now() > deadline)
      deny(container, 'start', `process ${container.pid} does not run busybox on the root of ${container.bundle}`)
    await sleep(1)
  }
}

/** After state: it says what /proc says. */
export function proveState(container: Proven, output: string): void {
  const { id, pid, status } = parse(output)
  if (id !== container.id || pid !== container.pid || status !== 'running')
    deny(container, 'state', `it does not print the running process ${container.pid}: ${quote(output)}`)
}

/** After exec of `readlink /proc/self/ns/pid`: the program has run where init is. */
export function proveExecuted(container: Proven, output: string): void {
  const expected = namespaceOf(container.pid, 'pid')
  if (output.trim() !== expected)
    deny(container, 'exec', `its program was to print ${expected}, and printed ${quote(output)}`)
}

/** After kill, when init was reaped: SIGKILL has ended it. */
export function proveKilled(container: Proven, status: number): void {
  if (status !== 128 + 9) deny(container, 'kill', `process ${container.pid} has ended with status ${status}`)
}

/** After delete: neither the process nor a cgroup nor the container's directory is left. */
export function proveDeleted(container: Proven): void {
  const left = [`/proc/${container.pid}`, ...container.cgroups, join(container.root, container.id)].find(existsSync)
  if (left !== undefined) deny(container, 'delete', `${left} is still there`)
}

function deny({ name, id }: Claim, command: string, why: string): never {
  throw new Error(`${name} ${command} of container ${id} exits with 0, but ${why}: its times mean nothing`)
}

function runsThePayload({ pid, bundle }: Proven): boolean {
  try {
    const [root, rootfs] = [statSync(`/proc/${pid}/root/`), statSync(join(bundle, 'rootfs'))]
    const sameRoot = root.ino === rootfs.ino && root.dev === rootfs.dev
    return sameRoot && basename(readlinkSync(`/proc/${pid}/exe`)) === 'busybox'
  } catch {
    return false
  }
}

let hierarchies: Record<string, string> | undefined

function cgroupDirectories(pid: number): string[] {
  hierarchies ??= cgroupMounts()
  const [mounts, own] = [hierarchies, cgroupsOf('self')]
  return Object.entries(cgroupsOf(pid))
    .filter(([key, path]) => mounts[key] !== undefined && path !== own[key] && path !== '/')
    .map(([key, path]) => join(mounts[key] ?? '', path))
}

function parse(output: string): Record<string, unknown> {
  try {
    return JSON.parse(output) as Record<string, unknown>
  } catch {
    return {}
  }
}

function quote(output: string): string {
  return output.trim() === '' ? 'nothing' : JSON.stringify(output.trim().slice(0, 200))
}
