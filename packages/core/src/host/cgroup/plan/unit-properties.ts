/** Properties of the container's unit, besides its limits: org.freedesktop.systemd1(5), systemd.scope(5). PURE. */
import type { Property } from '../../../dbus/signature.ts'
import type { CgroupLayout } from './cgroup-layout.ts'
import type { DevicePlan } from './device-plan.ts'
import type { Scope } from './scope.ts'

const text = (name: string, value: string): Property => [name, { signature: 's', value }]
const flag = (name: string, value: boolean): Property => [name, { signature: 'b', value }]

/** What a scope is beside its limits; `pid` is the process it begins with. */
export function planScopeProperties(
  { slice }: Scope,
  { id, pid, layout }: { readonly id: string; readonly pid: number; readonly layout: CgroupLayout },
): Property[] {
  return [
    text('Description', `crio-lxc container ${id}`),
    text('Slice', slice),
    ['PIDs', { signature: 'au', value: [pid] }],
    // The limits in it, what is below it, and the controllers that it hands down are not systemd's.
    flag('Delegate', true),
    // It does not end before the services that are ordered before shutdown, but with its runtime.
    flag('DefaultDependencies', false),
    // Nothing of a scope stays when its processes were killed for memory, even when nobody deletes the container.
    text('CollectMode', 'inactive-or-failed'),
    ...['CPU', 'Memory', 'Tasks', layout.mode === 'v2' ? 'IO' : 'BlockIO'].map((what) =>
      flag(`${what}Accounting`, true),
    ),
  ]
}

/** The scope of a resident monitor, which is no container: there is nothing in it but the process `pid`. */
export function planMonitorProperties(
  { slice }: Scope,
  { id, pid }: { readonly id: string; readonly pid: number },
): Property[] {
  return [
    text('Description', `crio-lxc monitor of ${id}`),
    text('Slice', slice),
    ['PIDs', { signature: 'au', value: [pid] }],
    flag('DefaultDependencies', false),
    text('CollectMode', 'inactive-or-failed'),
  ]
}

/**
 * The devices of a v1 hierarchy, which systemd writes too. A program of v2 stays whatever systemd does. `groupName`
 * is the name that /proc/devices has for a major.
 */
export function planDeviceProperties(
  plan: DevicePlan | undefined,
  groupName: (type: 'b' | 'c', major: number) => string | undefined,
): Property[] {
  if (plan?.hierarchy.version !== 1) return []
  const { allow, exceptions } = plan.policy
  // Exceptions from a permission have no words in systemd: the files that the runtime writes have them.
  if (allow) return [text('DevicePolicy', 'auto')]
  const devices = exceptions.flatMap(({ type, major, minor, access }) => {
    const kind = type === 'c' ? 'char' : 'block'
    if (major !== undefined && minor !== undefined) return [[`/dev/${kind}/${major}:${minor}`, access]]
    if (minor !== undefined) return []
    const group = major === undefined ? '*' : groupName(type, major)
    return group === undefined ? [] : [[`${kind}-${group}`, access]]
  })
  return [text('DevicePolicy', 'strict'), ['DeviceAllow', { signature: 'a(ss)', value: devices }]]
}
