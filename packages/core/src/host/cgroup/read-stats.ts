import type { CgroupLayout } from './plan/cgroup-layout.ts'
import { CgroupFiles } from './stats/cgroup-files.ts'
import type { Stats } from './stats/stats.ts'
import { statsV1 } from './stats/stats-v1.ts'
import { statsV2 } from './stats/stats-v2.ts'

/** A controller that the host lacks counts nothing. */
export function readStats(layout: CgroupLayout, path: string): Stats {
  const files = new CgroupFiles(layout, path)
  return layout.mode === 'v2' ? statsV2(files) : statsV1(files)
}
