import type { Hierarchy } from './cgroup-layout.ts'

/** One value to be written to one file of the container's cgroup. */
export interface CgroupWrite {
  readonly hierarchy: Hierarchy
  readonly file: string
  readonly value: string
  /** The field of config.json that asks for it. */
  readonly field: string
  /** A v2 controller that has to be handed down to the cgroup first. */
  readonly controller?: string
  /** What stands in on a kernel without the file; absent: that is an error. */
  readonly ifMissing?: CgroupWrite | 'nothing'
}

/** Could keep the monitor or init from being forked into the cgroup: written when nothing more is forked by create. */
export function limitsForks({ file }: CgroupWrite): boolean {
  return file === 'pids.max'
}

/** Of the v1 controller of devices. */
export function isDeviceRule({ file }: CgroupWrite): boolean {
  return file.startsWith('devices.')
}
