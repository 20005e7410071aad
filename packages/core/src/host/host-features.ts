/** What the support table needs of the host, looked at when a field asks for it. */

import type { HostFeature } from '../oci/decision.ts'
import { filesystemType, readText } from '../sys/files.ts'
import { resctrlMountPoint } from './resctrl/plan/mount-point.ts'

const SELINUX_MAGIC = 0xf97cff8c

const probes: Readonly<Record<HostFeature, () => boolean>> = {
  AppArmor: () => readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
  resctrl: () => resctrlMountPoint(readText('/proc/self/mountinfo')) !== undefined,
  SELinux: () => filesystemType('/sys/fs/selinux') === SELINUX_MAGIC,
}

/** A feature whose files are not there is not there. */
export function hostHas(feature: HostFeature): boolean {
  try {
    return probes[feature]()
  } catch {
    return false
  }
}
