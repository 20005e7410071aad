import type { Hierarchy } from './cgroup-layout.ts'

/** One value to be written to one file of the container's cgroup. */
export interface CgroupWrite {
  readonly hierarchy: Hierarchy
  readonly file: string
  readonly value: string
  /** The field of config.json that asks for it. */
  readonly field: string
}
