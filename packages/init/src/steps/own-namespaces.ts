/** What init sets in the namespaces that liblxc has made, before it looks at the container's tree. */
import { CLONE_NEWCGROUP, CLONE_NEWIPC } from '@crio-lxc/core/abi/constants'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'
import type { ContainerInputs } from '../container-inputs.ts'
import { planNetDevices } from './net-devices.ts'
import { planLoopback } from './network.ts'
import { planStagedProc } from './private-proc.ts'
import { planPrologue } from './process.ts'
import { planAffinity } from './scheduling.ts'
import { planSessionKeyring } from './session-keyring.ts'
import { planFetchStagedMounts } from './staged-mounts.ts'

/** Returns the host's procfs where it takes the place of one of init's own, which `needsProc` asks for. */
export function planOwnNamespaces(plan: Plan, inputs: ContainerInputs, needsProc: boolean): Slot | undefined {
  const { spec, namespaces, newKeyring, fds, userNamespace } = inputs
  planPrologue(plan)
  if (newKeyring) planSessionKeyring(plan)
  // The caller's CPUs are no limit of the container's; before process.scheduler, which may need all of them.
  planAffinity(plan, 'the CPU affinity', undefined)
  if (fds.cgroupNamespace !== undefined)
    plan.step('join the cgroup namespace', 'setns', [fds.cgroupNamespace, CLONE_NEWCGROUP])
  // While the stage is what liblxc made of it: its mounts are still the host's slaves.
  if (userNamespace) planFetchStagedMounts(plan, userNamespace.staged)
  // In a user namespace nobody may mount a procfs that shows the host's processes.
  const hostProc = needsProc && userNamespace && !namespaces.all.has('pid') ? planStagedProc(plan) : undefined
  if (userNamespace && namespaces.created.has('ipc'))
    plan.step('make the ipc namespace as root of the user namespace', 'unshare', [CLONE_NEWIPC])
  if (namespaces.all.has('uts')) planNames(plan, spec)
  if (namespaces.created.has('network')) planLoopback(plan)
  if (fds.netDevices) planNetDevices(plan, fds.netDevices)
  return hostProc
}

function planNames(plan: Plan, { hostname, domainname }: Spec): void {
  if (hostname) {
    const name = plan.string(hostname)
    plan.step('set hostname', 'sethostname', [name, name.length])
  }
  if (domainname) {
    const name = plan.string(domainname)
    plan.step('set domainname', 'setdomainname', [name, name.length])
  }
}
