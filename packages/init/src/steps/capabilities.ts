/** process.capabilities; each is exact, and an absent set is empty (CVE-2022-29162). */
import {
  LINUX_CAPABILITY_VERSION_3,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
} from '@crio-lxc/core/abi/constants'
import { capabilityBit, toCapabilityMask } from '@crio-lxc/core/oci/capabilities'
import type { Capabilities } from '@crio-lxc/core/oci/spec'
import type { Plan } from '@crio-lxc/core/plan/plan'

export function planBoundingSet(plan: Plan, capabilities: Capabilities | undefined): void {
  const bounding = toCapabilityMask(capabilities?.bounding ?? [], 'process.capabilities.bounding')
  for (const [name, number] of Object.entries(capabilityBit)) {
    if (bounding & (1n << BigInt(number))) continue
    // EINVAL: the kernel is older than this capability.
    plan.step(`drop ${name} from the bounding set`, 'prctl', [PR_CAPBSET_DROP, number, 0, 0, 0], { ignore: ['EINVAL'] })
  }
}

/** The other four; `extra` is for the time until execve. */
export function planCapabilitySets(plan: Plan, sets: Capabilities | undefined, extra: bigint): void {
  const mask = (name: 'effective' | 'permitted' | 'inheritable' | 'ambient'): bigint =>
    toCapabilityMask(sets?.[name] ?? [], `process.capabilities.${name}`)
  const effective = mask('effective') | extra
  const permitted = mask('permitted') | extra
  const inheritable = mask('inheritable')
  const header = plan.struct(
    8,
    () => '{_LINUX_CAPABILITY_VERSION_3, 0}',
    (view, at) => {
      view.setUint32(at, LINUX_CAPABILITY_VERSION_3, true)
    },
  )
  const data = plan.struct(
    24,
    () =>
      `{effective=${effective.toString(16)}, permitted=${permitted.toString(16)}, inheritable=${inheritable.toString(16)}}`,
    (view, at) => {
      for (const [index, set] of [effective, permitted, inheritable].entries()) {
        view.setUint32(at + 4 * index, Number(set & 0xffffffffn), true)
        view.setUint32(at + 12 + 4 * index, Number(set >> 32n), true)
      }
    },
  )
  plan.step('set process.capabilities (effective, permitted, inheritable)', 'capset', [header, data])
  plan.step('clear the ambient set', 'prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0])
  // The kernel keeps ambient within permitted and inheritable; runc's default spec asks for more, and gets that much.
  const ambient = mask('ambient') & permitted & inheritable
  for (const [name, number] of Object.entries(capabilityBit))
    if (ambient & (1n << BigInt(number)))
      plan.step(`raise ${name} of process.capabilities.ambient`, 'prctl', [
        PR_CAP_AMBIENT,
        PR_CAP_AMBIENT_RAISE,
        number,
        0,
        0,
      ])
}
