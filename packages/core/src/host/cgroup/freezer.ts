/** Stopping and continuing all processes of a cgroup: freezer-subsystem.rst of cgroup v1, cgroup-v2.rst "cgroup.freeze". */

import { RuntimeError } from '../../errors/runtime-error.ts'
import { SyscallError } from '../../errors/syscall-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { sleep } from '../../sys/fd.ts'
import { fileExists, readText } from '../../sys/files.ts'
import { monotonicMs } from '../../sys/program.ts'
import { cleanUp } from '../log/clean-up.ts'
import { hasChildren, readBelow, walkCgroups, writeBelow } from './cgroup-tree.ts'
import { writeExisting } from './cgroupfs.ts'
import { isFrozen } from './frozen.ts'
import { cgroupLayout } from './hierarchies.ts'
import { type CgroupLayout, type Hierarchy, MOUNT_POINT } from './plan/cgroup-layout.ts'

/**
 * Returns when nothing in the cgroup runs any more. Throws RuntimeError `timeout` after `timeoutMs`, or `cgroup`: then
 * everything in it runs again.
 */
export function freeze(layout: CgroupLayout, path: string, timeoutMs: number): void {
  const freezer = findFreezer(layout, path)
  const deadline = monotonicMs() + timeoutMs
  try {
    for (let round = 0; ; round++) {
      // Again: a v1 freezer that met a process in the middle of a fork may stay on its way, and a process that is not
      // frozen yet may have thawed the cgroup, when it can write there.
      request(freezer, true)
      if (hasStopped(freezer)) return
      if (monotonicMs() > deadline)
        throw new RuntimeError('timeout', `freeze ${freezer.directory}: a process did not stop within ${timeoutMs} ms`)
      sleep(Math.min(1 + round, 10))
      if (freezer.version === 1 && round % 50 === 49) request(freezer, false)
    }
  } catch (error) {
    cleanUp(error, [() => request(freezer, false)])
    throw error
  }
}

/** Does nothing when it is not frozen, or does not exist any more. */
export function thaw(layout: CgroupLayout, path: string): void {
  const freezer = findFreezer(layout, path)
  if (fileExists(freezer.directory)) request(freezer, false)
}

/**
 * The same for whatever below it is frozen on its own: what dies there needs it on v1, where a freezer holds even the
 * dying. On v2 it does not.
 */
export function thawTree(layout: CgroupLayout, path: string): void {
  const freezer = freezerOf(layout, path)
  if (!freezer) return
  if (isFrozen(path)) request(freezer, false)
  if (freezer.version === 1 && hasChildren(freezer.directory)) walkCgroups(freezer.directory, { enter: thawOwn })
}

function thawOwn(directory: number): void {
  try {
    if (readBelow(directory, 'freezer.self_freezing').startsWith('1')) writeBelow(directory, 'freezer.state', 'THAWED')
  } catch (error) {
    // Removed meanwhile, between any two of these calls.
    const code = error instanceof SyscallError ? error.errnoName : codeOf(error)
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error
  }
}

/** Whether a part of the cgroup may be frozen, or may become so: all that has a cgroup of its own in a v1 freezer. */
export function mayHoldDying(path: string): boolean {
  // Where nearly every host with v1 has it, so that a kill need not look at the whole layout.
  const usual = `${MOUNT_POINT}/freezer${path}`
  if (fileExists(usual)) return hasChildren(usual)
  const freezer = freezerOf(cgroupLayout(), path)
  return freezer?.version === 1 && hasChildren(freezer.directory)
}

interface Freezer {
  readonly version: 1 | 2
  readonly directory: string
}

/** Whoever asks a host with v1 controllers looks at that of the freezer. */
function freezerOf({ hierarchies }: CgroupLayout, path: string): Freezer | undefined {
  const found: Hierarchy | undefined =
    hierarchies.find(({ controllers }) => controllers.includes('freezer')) ??
    hierarchies.find(({ version }) => version === 2)
  return found && { version: found.version, directory: found.mountPoint + path }
}

function findFreezer(layout: CgroupLayout, path: string): Freezer {
  const found = freezerOf(layout, path)
  if (found) return found
  throw new RuntimeError('cgroup', `freeze ${path}: the host has neither a v1 freezer controller nor cgroup v2`)
}

function request({ version, directory }: Freezer, frozen: boolean): void {
  const [file, value] =
    version === 1 ? ['freezer.state', frozen ? 'FROZEN' : 'THAWED'] : ['cgroup.freeze', frozen ? '1' : '0']
  try {
    writeExisting(`${directory}/${file}`, value)
  } catch (cause) {
    const code = codeOf(cause)
    // The cgroup was removed meanwhile: nothing in it is left to be thawed.
    if (!frozen && (code === 'ENOENT' || code === 'ENODEV')) return
    throw new RuntimeError('cgroup', `write ${value} to ${directory}/${file}: ${reasonOf(cause)}`, { cause })
  }
}

function hasStopped({ version, directory }: Freezer): boolean {
  return version === 1
    ? readText(`${directory}/freezer.state`).startsWith('FROZEN')
    : /^frozen 1$/m.test(readText(`${directory}/cgroup.events`))
}
