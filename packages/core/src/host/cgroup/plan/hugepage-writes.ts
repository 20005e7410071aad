/** linux.resources.hugepageLimits as writes; hugetlb.rst of cgroup v1, cgroup-v2.rst "HugeTLB". PURE. */
import { SpecError } from '../../../errors/runtime-error.ts'
import { itemOf } from '../../../oci/field-path.ts'
import type { HugepageLimit } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { findController, type PresentCgroup } from './controller.ts'

/** Pages in use, and pages that mmap(2) has reserved: one without the other leaves a way to SIGBUS. */
export function planHugepages(limits: readonly HugepageLimit[], cgroup: PresentCgroup): CgroupWrite[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const field = itemOf('linux.resources.hugepageLimits', index)
    // The size is part of a file's name.
    if (!/^[1-9]\d*[KMG]B$/.test(pageSize))
      throw new SpecError(`${field}.pageSize`, `must be like "64KB", "2MB" or "1GB", got ${JSON.stringify(pageSize)}`)
    const { version, write } = findController(cgroup, 'hugetlb', field)
    const file = version === 1 ? 'limit_in_bytes' : 'max'
    return [
      write(field, `hugetlb.${pageSize}.${file}`, limit),
      // Since Linux 5.7.
      { ...write(field, `hugetlb.${pageSize}.rsvd.${file}`, limit), ifMissing: 'nothing' as const },
    ]
  })
}
