/** Stopping and continuing all processes of a cgroup: freezer-subsystem.rst of cgroup v1, cgroup-v2.rst "cgroup.freeze". */
import { existsSync, readFileSync } from 'node:fs'
import { RuntimeError } from '../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../errors/system-error.ts'
import { writeExisting } from './cgroupfs.ts'
import { type CgroupLayout, type Hierarchy, MOUNT_POINT } from './plan/cgroup-layout.ts'
import { sleep } from './sleep.ts'

/** Where a freezer can be, the v1 controller first: without a look at the whole layout, for the status of a container. */
const requests = [
  (path: string) => `${MOUNT_POINT}/freezer${path}/freezer.self_freezing`,
  (path: string) => `${MOUNT_POINT}${path}/cgroup.freeze`,
  (path: string) => `${MOUNT_POINT}/unified${path}/cgroup.freeze`,
]

/** Somebody has asked for this cgroup, and not only for one above it, to be frozen. */
export function isFrozen(path: string): boolean {
  for (const request of requests) {
    try {
      return readFileSync(request(path), 'latin1').startsWith('1')
    } catch {
      // Another kind of host, or the cgroup is gone.
    }
  }
  return false
}

/**
 * Returns when nothing in the cgroup runs any more. Throws RuntimeError `timeout` after `timeoutMs`, or `cgroup`: then
 * everything in it runs again.
 */
export function freeze(layout: CgroupLayout, path: string, timeoutMs: number): void {
  const freezer = findFreezer(layout, path)
  const deadline = performance.now() + timeoutMs
  try {
    for (let round = 0; ; round++) {
      // A v1 freezer that met a process in the middle of a fork may stay on its way until it is asked again.
      if (freezer.version === 1 || round === 0) request(freezer, true)
      if (hasStopped(freezer)) return
      if (performance.now() > deadline)
        throw new RuntimeError('timeout', `freeze ${freezer.directory}: a process did not stop within ${timeoutMs} ms`)
      sleep(Math.min(1 + round, 10))
      if (freezer.version === 1 && round % 50 === 49) request(freezer, false)
    }
  } catch (error) {
    request(freezer, false)
    throw error
  }
}

/** Does nothing when it is not frozen, or does not exist any more. */
export function thaw(layout: CgroupLayout, path: string): void {
  const freezer = findFreezer(layout, path)
  if (existsSync(freezer.directory)) request(freezer, false)
}

interface Freezer {
  readonly version: 1 | 2
  readonly directory: string
}

/** Whoever asks a host with v1 controllers looks at that of the freezer. */
function findFreezer({ hierarchies }: CgroupLayout, path: string): Freezer {
  const found: Hierarchy | undefined =
    hierarchies.find(({ controllers }) => controllers.includes('freezer')) ??
    hierarchies.find(({ version }) => version === 2)
  if (!found)
    throw new RuntimeError('cgroup', `freeze ${path}: the host has neither a v1 freezer controller nor cgroup v2`)
  return { version: found.version, directory: found.mountPoint + path }
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
    ? readFileSync(`${directory}/freezer.state`, 'latin1').startsWith('FROZEN')
    : /^frozen 1$/m.test(readFileSync(`${directory}/cgroup.events`, 'latin1'))
}
