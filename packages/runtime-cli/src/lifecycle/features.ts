/** The features document of runtime-spec 1.3 (features.md, features-linux.md), read from the tables that decide. */
import { capabilityBit } from '@crio-lxc/core/oci/capabilities'
import type { Decision } from '@crio-lxc/core/oci/decision'
import { OCI_VERSION, OCI_VERSION_MIN } from '@crio-lxc/core/oci/oci-version'
import { support } from '@crio-lxc/core/oci/support'
import { TERMINATION_MESSAGE_PATH } from '@crio-lxc/core/oci/termination-message'
import type { Row } from '@crio-lxc/core/oci/walk-fields'
import { kernelSeccompFlags } from '@crio-lxc/core/sys/seccomp-flags'
import { mountOptionNames } from '@crio-lxc/init/mount-options'
import { monitorLiblxc } from '../installation/monitor-liblxc.ts'
import { programsOf } from '../installation/programs.ts'
import type { Settings } from '../settings.ts'
import { builtCommit, builtVersion } from '../version.ts'

/** A kind of thing that this runtime does, on hosts that can. */
export interface Enabled {
  readonly enabled: boolean
}

export interface Features {
  readonly ociVersionMin: string
  readonly ociVersionMax: string
  readonly hooks: readonly string[]
  readonly mountOptions: readonly string[]
  readonly linux: {
    readonly namespaces: readonly string[]
    readonly capabilities: readonly string[]
    readonly cgroup: {
      readonly v1: boolean
      readonly v2: boolean
      readonly systemd: boolean
      readonly systemdUser: boolean
      readonly rdma: boolean
    }
    readonly seccomp: Enabled & {
      readonly actions: readonly string[]
      readonly operators: readonly string[]
      readonly archs: readonly string[]
      readonly knownFlags: readonly string[]
      /** Of these the ones that the running kernel has. */
      readonly supportedFlags: readonly string[]
    }
    readonly apparmor: Enabled
    readonly selinux: Enabled
    readonly intelRdt: Enabled & { readonly schemata: boolean; readonly monitoring: boolean }
    readonly memoryPolicy: { readonly modes: readonly string[]; readonly flags: readonly string[] }
    readonly mountExtensions: { readonly idmap: Enabled }
    readonly netDevices: Enabled
  }
  readonly annotations: Readonly<Record<string, string>>
  readonly potentiallyUnsafeConfigAnnotations: readonly string[]
}

export function features(settings: Settings): Features {
  const { fields: linux } = support.linux as Fields
  const { fields: seccomp } = linux.seccomp as Fields
  const { each: syscall } = seccomp.syscalls as Items
  const { fields: intelRdt } = linux.intelRdt as Fields
  const { fields: memoryPolicy } = linux.memoryPolicy as Fields
  const { fields: resources } = linux.resources as Fields
  const knownFlags = valuesOf(seccomp.flags)
  return {
    ociVersionMin: OCI_VERSION_MIN,
    ociVersionMax: OCI_VERSION,
    hooks: Object.entries((support.hooks as Fields).fields).flatMap(([name, row]) => (isDone(row) ? [name] : [])),
    mountOptions: mountOptionNames(),
    linux: {
      namespaces: valuesOf((linux.namespaces as Items).each.type),
      capabilities: Object.keys(capabilityBit),
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: isDone(resources.rdma) },
      seccomp: {
        enabled: isDone(linux.seccomp),
        actions: valuesOf(syscall.action),
        operators: valuesOf((syscall.args as Items).each.op),
        archs: valuesOf(seccomp.architectures),
        knownFlags,
        supportedFlags: kernelSeccompFlags()
          .filter((flag) => knownFlags.includes(flag))
          .sort(),
      },
      apparmor: { enabled: isDone((support.process as Fields).fields.apparmorProfile) },
      selinux: { enabled: isDone((support.process as Fields).fields.selinuxLabel) },
      intelRdt: {
        enabled: isDone(linux.intelRdt),
        schemata: isDone(intelRdt.schemata),
        monitoring: isDone(intelRdt.enableMonitoring),
      },
      memoryPolicy: { modes: valuesOf(memoryPolicy.mode), flags: valuesOf(memoryPolicy.flags) },
      mountExtensions: { idmap: { enabled: isDone((support.mounts as Items).each.uidMappings) } },
      netDevices: { enabled: isDone(linux.netDevices) },
    },
    annotations: {
      'org.linuxcontainers.crio-lxc.version': builtVersion(),
      ...(builtCommit() && { 'org.linuxcontainers.crio-lxc.commit': builtCommit() }),
      'org.linuxcontainers.crio-lxc.checkpoint.enabled': 'false',
      ...liblxcAnnotations(settings),
    },
    // The runtime writes a file where it points.
    potentiallyUnsafeConfigAnnotations: [TERMINATION_MESSAGE_PATH],
  }
}

/** Of the liblxc that crio-lxc-start is linked with; none when it cannot be asked, which create explains better. */
function liblxcAnnotations(settings: Settings): Readonly<Record<string, string>> {
  const { version: liblxc, extensions } = monitorLiblxc(programsOf(settings).monitor)
  return liblxc === undefined
    ? {}
    : {
        'org.linuxcontainers.crio-lxc.liblxc.version': liblxc,
        'org.linuxcontainers.crio-lxc.liblxc.extensions': extensions.join(','),
      }
}

interface Fields {
  readonly fields: Readonly<Record<string, Row>>
}
interface Items {
  readonly each: Readonly<Record<string, Row>>
}

/** Of an object it is enough that one field works: the others are refused by their names. */
function isDone(row: Row | undefined): boolean {
  if (row === undefined) return false
  if (row === 'supported') return true
  if ('fields' in row) return Object.values(row.fields).some(isDone)
  if ('each' in row) return Object.values(row.each).some(isDone)
  return 'needs' in row || 'values' in row
}

/** The values that are supported, sorted. */
function valuesOf(row: Row | undefined): string[] {
  const values: Readonly<Record<string, Decision>> =
    row !== undefined && row !== 'supported' && 'values' in row ? row.values : {}
  return Object.keys(values)
    .filter((name) => isDone(values[name]))
    .sort()
}
