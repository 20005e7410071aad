/** What the support table needs of the host, looked at when a field asks for it. */
import { readFileSync, statfsSync } from 'node:fs'
import type { HostFeature } from '../oci/support.ts'
import { resctrlMountPoint } from '../resctrl/plan/mount-point.ts'

const SELINUX_MAGIC = 0xf97cff8c

const probes: Readonly<Record<HostFeature, () => boolean>> = {
  AppArmor: () => readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y'),
  resctrl: () => resctrlMountPoint(readFileSync('/proc/self/mountinfo', 'utf8')) !== undefined,
  SELinux: () => statfsSync('/sys/fs/selinux').type === SELINUX_MAGIC,
}

/** A feature whose files are not there is not there. */
export function hostHas(feature: HostFeature): boolean {
  try {
    return probes[feature]()
  } catch {
    return false
  }
}
