/** What create would have opened for a spec, invented: the planners need neither a host nor root. */
import { x64 } from '@crio-lxc/core/abi/arch'
import { MS_PRIVATE, MS_REC, MS_SLAVE } from '@crio-lxc/core/abi/constants'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import { lacksHome } from '@crio-lxc/init/environment'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import { devicesOf } from '@crio-lxc/init/steps/devices'
import type { CgroupMounts, DetachedMount } from '@crio-lxc/init/steps/mounts'
import type { MovedDevices } from '@crio-lxc/init/steps/net-devices'
import type { AllInputs } from '../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import type { OpenNamespaces } from '../../packages/runtime-cli/src/namespaces/plan/open-namespaces.ts'

/** Of a host that has all that the document asks for, with a number for every descriptor. */
export function creationInputs(spec: Spec, layout: CgroupLayout): AllInputs {
  const namespaces = namespacesOf(spec)
  const userNamespace = userNamespaceOf(spec)
  const home = lacksHome(spec.process) ? '/root' : undefined
  return {
    arch: x64,
    id: 'ID',
    spec: { ...spec, mounts: spec.mounts ?? [] },
    featureGates: { seccomp: true, capabilities: true, apparmor: true, cgroupDevices: true },
    programs: { libexec: '/usr/libexec/crio-lxc', stage: '/usr/libexec/crio-lxc/stage', monitor: 'x' },
    containerLogLevel: 'WARN',
    namespaces,
    userNamespace,
    sources: {
      rootfs: 20,
      mounts: detachedMounts(spec),
      fromTree: new Map(),
      devices: deviceNodes(spec),
      nullDevice: 21,
      staged: userNamespace ? stagedMounts(spec) : [],
    },
    netDevices: netDevicesOf(spec),
    gate: { go: 26, hostTree: { fd: 27, stage: '/usr/libexec/crio-lxc/stage', rootfs: '/bundle/rootfs' } },
    console: spec.process.terminal ? { socket: 24, plainLines: true } : undefined,
    stdio: userNamespace ? [] : [{ fd: 0, name: 'null', major: 1, minor: 3, access: 0 }],
    preserved: [],
    newKeyring: true,
    process: { home, capabilities: (1n << 41n) - 1n },
    traced: false,
    cgroupMounts: { mounts: cgroupMounts(layout, namespaces.created.has('cgroup')), staged: [] },
    monitor: {
      cgroup: { tasks: [11], unified: 12 },
      config: 14,
      log: 8,
      go: 15,
      plan: 16,
      wait: 7,
      report: 13,
      fifoDirectory: 22,
    },
    layout,
    scope: undefined,
    filterOf: () => ({ program: new Uint8Array(8), flags: 0, notifies: false }),
    present: { layout, read: () => undefined },
    mover: { namespace: 10, report: 13 },
  }
}

function deviceNodes({ linux, mounts = [] }: Spec): ReadonlyMap<string, number> {
  const devices = devicesOf(linux?.devices ?? [], mounts)?.devices ?? []
  return new Map(devices.slice(0, 2).map(({ path }, index) => [path, 30 + index]))
}

/** The ids of config.json: what is joined has them too, for the plans' sake. */
export function userNamespaceOf({ linux }: Spec): IdMappings | undefined {
  const { uidMappings: uids = [], gidMappings: gids = [], namespaces = [] } = linux ?? {}
  return namespaces.some(({ type }) => type === 'user') ? { uids, gids } : undefined
}

/** As if the host had them all, each with an address. */
function netDevicesOf({ linux }: Spec): MovedDevices | undefined {
  const devices = Object.entries(linux?.netDevices ?? {}).map(([name, { name: renamed }], index) => ({
    name,
    target: renamed || name,
    index,
    addresses: [{ family: 2, prefixLength: 24, attributes: [{ type: 1, value: new Uint8Array([192, 0, 2, 1]) }] }],
  }))
  return devices.length > 0 ? { devices, socket: 28 } : undefined
}

function stagedMounts(spec: Spec): StagedMount[] {
  const mounts = [...detachedMounts(spec).values()]
  return [
    { fd: 20, directory: true, propagation: [MS_SLAVE | MS_REC] },
    ...mounts.map((mount) => ({ ...mount, propagation: [MS_PRIVATE] })),
    { fd: 30, directory: false, propagation: [MS_PRIVATE], file: { of: 0, name: '0' } },
  ]
}

function namespacesOf({ linux }: Spec): OpenNamespaces {
  const all = linux?.namespaces ?? []
  return {
    created: new Set(all.filter(({ path }) => !path).map(({ type }) => type)),
    joined: new Map(all.filter(({ path }) => path).map(({ type }, index) => [type, 50 + index])),
  }
}

/** What create would have opened for the mounts that are binds. */
function detachedMounts({ mounts = [] }: Spec): ReadonlyMap<number, DetachedMount> {
  const detached = new Map<number, DetachedMount>()
  for (const [index, mount] of mounts.entries()) {
    const { copyUp } = parseMountOptions(mount.options ?? [])
    if (isBind(mount) || copyUp) detached.set(index, { fd: 1000 + index, directory: index % 2 === 0 })
  }
  return detached
}

function cgroupMounts({ mode, hierarchies }: CgroupLayout, created: boolean): CgroupMounts {
  const version = mode === 'v2' ? 2 : 1
  return {
    version,
    hierarchies: hierarchies
      .filter((hierarchy) => hierarchy.version === version)
      .map(({ name }) => ({ name, data: name, ...(!created && { bind: 40 }) })),
    links: [['devices', 'all']],
  }
}
