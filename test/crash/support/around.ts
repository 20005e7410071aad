import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isV1, untilRemoved } from '../../support/cgroup-files.ts'
import type { Containers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'

let made = 0

/** A command that runs another in a cgroup with a limit, removed after the test; the container is in one of its own. */
export function around(t: Containers, controller: string, file: [v1: string, v2: string], value: number): string[] {
  const mounts = cgroupMounts()
  const mount = Object.entries(mounts).find(([key]) => key.split(',').includes(controller))?.[1] ?? mounts['']
  const directory = join(mount ?? '', `crash-${process.pid}-${made++}`)
  mkdirSync(directory)
  t.defer(() => untilRemoved(directory))
  writeFileSync(join(directory, isV1(controller) ? file[0] : file[1]), String(value))
  return ['sh', '-c', `echo $$ > ${directory}/cgroup.procs && exec "$@"`, 'sh']
}
