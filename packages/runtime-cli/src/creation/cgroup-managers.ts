import type { CgroupManager, ManagedContainer } from '@crio-lxc/core/host/cgroup/cgroup-manager'
import { cgroupfsManager } from '@crio-lxc/core/host/cgroup/cgroupfs-manager'
import type { Settings } from '../settings.ts'

export type ManagerOf = (container: ManagedContainer) => CgroupManager

/** The one place that decides who manages cgroups (`--systemd-cgroup`). What speaks to systemd is loaded only for it. */
export async function managersOf({ systemdCgroup, withoutCgroup }: Settings): Promise<ManagerOf> {
  if (withoutCgroup) return (await import('@crio-lxc/core/host/cgroup/no-manager')).noManager
  if (!systemdCgroup) return cgroupfsManager
  const { SystemdManager } = await import('@crio-lxc/core/host/cgroup/systemd-manager')
  return (container) => new SystemdManager(container)
}
