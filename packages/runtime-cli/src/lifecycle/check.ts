/** check: whether this host and this installation can make containers, and what to do where not. */
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import { fileExists } from '@crio-lxc/core/sys/files'
import { callerFindings } from '../diagnosis/callers.ts'
import { cgroupFindings } from '../diagnosis/cgroups.ts'
import { type Finding, problem, warning } from '../diagnosis/finding.ts'
import { idMapFindings } from '../diagnosis/id-maps.ts'
import { installationFindings } from '../diagnosis/installed.ts'
import { kernelFindings } from '../diagnosis/kernel.ts'
import { limitFindings } from '../diagnosis/limits.ts'
import { mountFindings } from '../diagnosis/mounts.ts'
import { privilegeFindings } from '../diagnosis/privileges.ts'
import type { Settings } from '../settings.ts'

export type { Finding } from '../diagnosis/finding.ts'
export { findingsText, worst } from '../diagnosis/findings-text.ts'

const subjects: Readonly<Record<string, (settings: Settings) => readonly Finding[]>> = {
  privileges: privilegeFindings,
  kernel: kernelFindings,
  'id maps': idMapFindings,
  cgroups: cgroupFindings,
  installation: installationFindings,
  mounts: mountFindings,
  limits: limitFindings,
  engines: callerFindings,
}

/** `defects` are what is wrong with the defaults file, a sentence each. */
export function check(settings: Settings, defects: readonly string[]): readonly Finding[] {
  if (!fileExists('/proc/self/exe'))
    return [problem('proc', '/proc is not mounted', 'mount -t proc proc /proc: nothing can be looked at without')]
  const findings = Object.entries(subjects).flatMap(([name, look]) => {
    try {
      return look(settings)
    } catch (error) {
      // One thing that cannot be looked at hides none of the others.
      return [warning(name, `cannot be looked at: ${messageOf(error)}`, 'run it as root, with /proc and /sys mounted')]
    }
  })
  return [...findings, ...settingFindings(settings, defects)]
}

function settingFindings({ featureGates }: Settings, defects: readonly string[]): Finding[] {
  const off = Object.entries(featureGates).flatMap(([name, on]) => (on ? [] : [name]))
  if (defects.length > 0)
    return defects.map((defect) => problem('settings', defect, 'correct it: create and exec are refused until then'))
  if (off.length === 0) return []
  return [warning('settings', `${off.join(', ')} of config.json are left out`, 'see where it is said: crio-lxc config')]
}
