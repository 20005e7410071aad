/** The files of a container's cgroup, found from the host by its init. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Containers } from './containers.ts'
import { cgroupMounts, cgroupsOf } from './proc.ts'
import { waitFor } from './wait-for.ts'

/** The directory of a controller, v1 or v2; undefined when the host does not have it. */
export function cgroupOf(pid: number, controller: string): string | undefined {
  const mounts = cgroupMounts()
  const places = cgroupsOf(pid)
  for (const [key, mount] of Object.entries(mounts))
    if (key !== '' && key.split(',').includes(controller)) return mount + places[key]
  const unified = mounts['']
  const listed = unified === undefined ? '' : readFileSync(`${unified}/cgroup.controllers`, 'utf8')
  return listed.split(/\s+/).includes(controller) ? `${unified}${places['']}` : undefined
}

/** True for a host whose `controller` is one of cgroup v1. */
export function isV1(controller: string): boolean {
  return Object.keys(cgroupMounts()).some((key) => key.split(',').includes(controller))
}

/** The text of the first of these files that there is. */
export function readCgroup(pid: number, controller: string, ...files: string[]): string {
  const directory = cgroupOf(pid, controller)
  const found = files.find((file) => existsSync(`${directory}/${file}`))
  if (found === undefined) throw new Error(`none of ${files} in ${directory}`)
  return readFileSync(`${directory}/${found}`, 'utf8').trim()
}

/** Removes a cgroup of a test, unless the runtime has; a guest takes a moment to leave. */
export async function untilRemoved(directory: string): Promise<void> {
  await waitFor(() => {
    try {
      if (existsSync(directory)) rmdirSync(directory)
      return true
    } catch {
      return false
    }
  })
}

let killed = 0

/** The directory of a cgroup of v2 in which everything has been killed once; removed after the test. */
export function killedCgroup(t: Containers): string {
  const directory = `${cgroupMounts()['']}/killed-${process.pid}-${killed++}`
  mkdirSync(directory)
  t.defer(() => untilRemoved(directory))
  writeFileSync(`${directory}/cgroup.kill`, '1')
  return directory
}
