import { readFileSync } from 'node:fs'
import type { CgroupLayout } from './plan/cgroup-layout.ts'

/**
 * Where a process may join the container whose cgroup is `path`. A v2 cgroup that hands controllers down takes no process
 * (cgroup-v2.rst, "No Internal Process Constraint"): so it is when the container runs systemd, or divides its cgroup
 * itself. Then it is the cgroup in which its init is now, as in runc.
 */
export function execCgroup({ mode, hierarchies }: CgroupLayout, path: string, init: number): string {
  const [hierarchy] = hierarchies
  if (mode !== 'v2' || hierarchy === undefined) return path
  if (readFileSync(`${hierarchy.mountPoint}${path}/cgroup.subtree_control`, 'utf8').trim() === '') return path
  const inner = readFileSync(`/proc/${init}/cgroup`, 'utf8').trim().slice('0::'.length)
  return inner.startsWith(`${path}/`) ? inner : path
}
