/** Which controllers v2 hands down to a cgroup: cgroup-v2.rst, "Top-down Constraint" and "No Internal Process Constraint". */

import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { fileExists, readText, stat, unlessMissing, writeFile } from '../../sys/files.ts'
import { readProcs } from './cgroup-processes.ts'
import { ancestors, type Hierarchy } from './plan/cgroup-layout.ts'

/** What the cgroups above another one handed down at a time, those that existed, the root first. */
export type SubtreeControls = ReadonlyMap<string, { readonly controllers: readonly string[]; readonly links: number }>

export function subtreeControls({ mountPoint }: Hierarchy, path: string): SubtreeControls {
  const found = new Map<string, { controllers: string[]; links: number }>()
  for (const directory of ancestors(mountPoint, path)) {
    const status = unlessMissing(() => stat(directory))
    if (!status) break
    found.set(directory, { controllers: wordsOf(`${directory}/cgroup.subtree_control`), links: status.nlink })
  }
  return found
}

/**
 * Hands every controller down to the cgroup, as runc does: whoever measures the container reads their files, and a
 * container that divides its cgroup needs them. What cannot be handed down is an error only when a limit asks for it.
 */
export function offerControllers({ mountPoint }: Hierarchy, path: string, before: SubtreeControls): void {
  for (const directory of ancestors(mountPoint, path)) {
    const enabled = before.get(directory)?.controllers ?? []
    const missing = wordsOf(`${directory}/cgroup.controllers`).filter((controller) => !enabled.includes(controller))
    if (missing.length === 0 || !mayHandDown(directory)) continue
    const file = `${directory}/cgroup.subtree_control`
    try {
      writeFile(file, missing.map((controller) => `+${controller}`).join(' '))
    } catch {
      // All or nothing: one that is refused, such as cpu beside realtime processes, must not keep the others away.
      for (const controller of missing) {
        try {
          writeFile(file, `+${controller}`)
        } catch {
          // Reported by enableController when it is needed.
        }
      }
    }
  }
}

/** A v2 controller works in a cgroup when every one above hands it down. Throws RuntimeError `cgroup`. */
export function enableController(
  { mountPoint }: Hierarchy,
  path: string,
  { controller, field }: { readonly controller: string; readonly field: string },
): void {
  for (const directory of ancestors(mountPoint, path)) {
    const file = `${directory}/cgroup.subtree_control`
    if (wordsOf(file).includes(controller)) continue
    const what = `${field}: enable the ${controller} controller in ${file}`
    if (!mayHandDown(directory))
      throw new RuntimeError('cgroup', `${what}: this cgroup has processes: choose another linux.cgroupsPath`)
    try {
      writeFile(file, `+${controller}`)
    } catch (cause) {
      throw new RuntimeError('cgroup', `${what}: ${reasonOf(cause)}`, { cause })
    }
  }
}

/**
 * Takes back what has been handed down since `before`, when the cgroup that it was for is gone; not where others have come
 * meanwhile, which may count on it. Throws RuntimeError `cgroup`.
 */
export function withdrawControllers(before: SubtreeControls): void {
  for (const [directory, { controllers, links }] of [...before].reverse()) {
    const file = `${directory}/cgroup.subtree_control`
    const added = wordsOf(file).filter((controller) => !controllers.includes(controller))
    if (added.length === 0 || (unlessMissing(() => stat(directory))?.nlink ?? 0) > links) continue
    try {
      writeFile(file, added.map((controller) => `-${controller}`).join(' '))
    } catch (cause) {
      throw new RuntimeError('cgroup', `disable ${added.join(', ')} in ${file} again: ${reasonOf(cause)}`, { cause })
    }
  }
}

/**
 * A cgroup with processes hands down nothing but controllers of threads, and becomes the root of a threaded subtree by it
 * (cgroup-v2.rst, "Threads"): then no process can be put below it. The root is free of that, and has no type.
 */
function mayHandDown(directory: string): boolean {
  return readProcs(directory).length === 0 || !fileExists(`${directory}/cgroup.type`)
}

/** None when there is no such file. */
function wordsOf(file: string): string[] {
  try {
    return readText(file).split(/\s+/).filter(Boolean)
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(codeOf(error) ?? '')) return []
    throw error
  }
}
