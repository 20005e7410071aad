/** What the kernel lets this program do: its capabilities, which containers cannot have more of. */

import { effectiveCapabilities, everyCapability } from '@crio-lxc/core/host/process/proc'
import { capabilityNames } from '@crio-lxc/core/oci/capabilities'
import { effectiveUid } from '@crio-lxc/core/sys/program'
import { type Finding, ok, problem, warning } from './finding.ts'

/** Without one of them not even the container of `crio-lxc spec` can be made and entered. */
const needed = new Set([
  'CAP_MKNOD',
  'CAP_NET_ADMIN',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
])

export function privilegeFindings(): readonly Finding[] {
  const uid = effectiveUid()
  if (uid !== 0) return [problem('user', `uid ${uid}`, 'run crio-lxc as root')]
  return [judgeCapabilities(effectiveCapabilities(), everyCapability())]
}

/** PURE. Masks by capability number: what this program has, and what the kernel knows. */
export function judgeCapabilities(own: bigint, every: bigint): Finding {
  const name = 'capabilities'
  const lacking = capabilityNames(every & ~own)
  const essential = lacking.filter((capability) => needed.has(capability))
  const more = 'privileged, if it is in a container; CapabilityBoundingSet= of its unit'
  if (essential.length > 0) return problem(name, `no ${essential.join(', ')}`, `run crio-lxc with all of them: ${more}`)
  if (lacking.length > 0)
    return warning(
      name,
      `no ${lacking.join(', ')}`,
      `containers are made without these: run crio-lxc with them: ${more}`,
    )
  return ok(name, `all ${capabilityNames(every).length} that are known`)
}
