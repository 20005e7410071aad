/** Device rules of a container that runs: it must not for a moment miss what it keeps. PURE. */
import type { CgroupWrite } from './cgroup-write.ts'
import type { PresentCgroup } from './controller.ts'
import type { DevicePlan } from './device-plan.ts'
import { deviceLine } from './device-policy.ts'
import { planDeviceWrites } from './resource-writes.ts'

const FIELD = 'linux.resources.devices'

/**
 * The writes for v1; nothing for v2, where one program takes the place of another. From one list of allowed devices to
 * another only the difference is written, what is new first; a change of the default takes the whole policy.
 */
export function planDeviceUpdate(plan: DevicePlan, { read }: PresentCgroup): CgroupWrite[] {
  const { hierarchy, policy } = plan
  if (hierarchy.version === 2) return []
  const present = read(hierarchy, 'devices.list')?.split('\n').filter(Boolean)
  if (policy.allow || present === undefined || present.includes('a *:* rwm')) return planDeviceWrites(plan)
  const now = new Map(present.map(splitLine))
  const wanted = new Map(policy.exceptions.map((exception) => splitLine(deviceLine(exception))))
  return [
    ...difference(wanted, now).map((value) => ({ hierarchy, file: 'devices.allow', value, field: FIELD })),
    ...difference(now, wanted).map((value) => ({ hierarchy, file: 'devices.deny', value, field: FIELD })),
  ]
}

/** `c 1:3 rwm` as device and access. */
function splitLine(line: string): [device: string, access: string] {
  const at = line.lastIndexOf(' ')
  return [line.slice(0, at), line.slice(at + 1)]
}

/** The accesses of `left` that `right` does not have, as lines. */
function difference(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): string[] {
  return [...left].flatMap(([device, access]) => {
    const missing = [...access].filter((letter) => !right.get(device)?.includes(letter)).join('')
    return missing ? [`${device} ${missing}`] : []
  })
}
