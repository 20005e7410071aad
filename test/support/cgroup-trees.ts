/** Cgroups below a container's that no path reaches, or whose names are no text. */
import { closeSync, constants, mkdirSync, openSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { cgroupMounts, cgroupsOf } from './proc.ts'

/** The directories of the process's cgroup, one in each hierarchy. */
export function cgroupDirectoriesOf(pid: number): string[] {
  const places = cgroupsOf(pid)
  return Object.entries(cgroupMounts()).map(([key, mount]) => mount + places[key])
}

/** Makes cgroups one in the other, the first in `directory`, and moves `pid` into the last. */
export function putBelow(directory: string, names: readonly Buffer[], pid: number): void {
  let fd = openSync(directory, constants.O_RDONLY)
  try {
    for (const name of names) {
      mkdirSync(entry(fd, name))
      const next = openSync(entry(fd, name), constants.O_RDONLY)
      closeSync(fd)
      fd = next
      for (const file of ['cpuset.cpus', 'cpuset.mems']) inherit(fd, file)
    }
    writeFileSync(entry(fd, Buffer.from('cgroup.procs')), String(pid))
  } finally {
    closeSync(fd)
  }
}

/** A v1 cpuset takes no process before it has something. */
function inherit(fd: number, file: string): void {
  if (!readdirSync(`/proc/self/fd/${fd}`).includes(file)) return
  writeFileSync(entry(fd, Buffer.from(file)), '0')
}

/** Removes `directory` with all below it, as far as it can. */
export function removeCgroups(directory: string): void {
  removeBelow(Buffer.from(directory))
}

function removeBelow(path: Buffer): void {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch {
    return
  }
  try {
    for (const { name } of readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: 'buffer' }).filter(
      (found) => found.isDirectory(),
    ))
      removeBelow(entry(fd, name))
  } finally {
    closeSync(fd)
  }
  try {
    rmdirSync(path)
  } catch {
    // A test says what it expects to be gone.
  }
}

function entry(fd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name])
}
