import type { ContainerFacts } from '@crio-lxc/core/host/container/container-info'
import { fileIdentity, identify, type ProcessIdentity } from '@crio-lxc/core/host/process/proc'
import { effectiveUid, ownPid } from '@crio-lxc/core/sys/program'
import type { Opened } from './open-inputs.ts'

/** What container.json says, from the beginning to the end of the container. */
export function factsOf({ request, rootfs, programs, cgroup, hooks, resctrl }: Opened): ContainerFacts {
  const { settings, options, spec } = request
  const { manager } = cgroup
  return {
    containerId: options.id,
    createdAt: new Date().toISOString(),
    runtimeRoot: settings.root,
    bundlePath: options.bundle,
    ...(options.consoleSocket !== undefined && { consoleSocket: options.consoleSocket }),
    ...(options.pidFile !== undefined && { pidFile: options.pidFile }),
    monitorCgroupDir: manager.monitorPath,
    cgroupDir: cgroup.placement.path,
    ...(settings.withoutCgroup && { withoutCgroup: true }),
    ...(manager.units && { systemdUnits: manager.units }),
    ...settings.featureGates,
    ...(options.noNewKeyring && { noNewKeyring: true }),
    ...(spec.annotations !== undefined && { annotations: spec.annotations }),
    ...(spec.linux?.namespaces !== undefined && { namespaces: spec.linux.namespaces }),
    ...(hooks.later && { hooks: hooks.later }),
    ...(resctrl && { resctrl: resctrl.facts }),
    rootfs,
    owner: ownerName(),
    ociVersion: spec.ociVersion,
    creator: ownIdentity(),
    initExecutable: fileIdentity(`${programs.stage}/init`) ?? '',
    madeCgroups: manager.missingDirectories(),
  }
}

function ownerName(): string {
  const uid = effectiveUid()
  return uid === 0 ? 'root' : String(uid)
}

function ownIdentity(): ProcessIdentity {
  return identify(ownPid()) ?? { pid: ownPid(), startTime: 0 }
}
