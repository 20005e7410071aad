/** Steps for device nodes and links below /dev (config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links"). */
import { AT_SYMLINK_NOFOLLOW, makedev, S_IFBLK, S_IFCHR, S_IFIFO } from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Device } from '@crio-lxc/core/oci/linux'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { attach, components, ensureTarget, isInProc, refuseProcfs } from '../inside-root.ts'

/** Every container has these, whatever linux.devices says. */
export const defaultDevices: readonly Device[] = [
  { type: 'c', path: '/dev/null', major: 1, minor: 3 },
  { type: 'c', path: '/dev/zero', major: 1, minor: 5 },
  { type: 'c', path: '/dev/full', major: 1, minor: 7 },
  { type: 'c', path: '/dev/random', major: 1, minor: 8 },
  { type: 'c', path: '/dev/urandom', major: 1, minor: 9 },
  { type: 'c', path: '/dev/tty', major: 5, minor: 0 },
].map((device) => ({ ...device, fileMode: 0o666, uid: 0, gid: 0 }) as Device)

const links: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
]

/** The devices of a container: the default ones, each replaced by the spec's of the same path, then the rest. */
export function devicesOf(devices: readonly Device[]): Device[] {
  const byPath = new Map<string, Device>()
  for (const device of [...defaultDevices, ...devices]) byPath.set(`/${components(device.path).join('/')}`, device)
  return [...byPath.values()]
}

export interface DeviceInputs {
  readonly root: number
  readonly devices: readonly Device[]
  /** By path: detached binds of the host's nodes, for the devices that are not made with mknod. */
  readonly detached: ReadonlyMap<string, number>
}

export function planDevices(plan: Plan, { root, devices, detached }: DeviceInputs): void {
  for (const device of devices) {
    if (isInProc(device.path))
      throw new SpecError('linux.devices', `${device.path} cannot be made because it is inside /proc`)
    const fd = detached.get(device.path)
    if (fd === undefined) planNode(plan, root, device)
    else {
      const { path } = device
      const target = ensureTarget(plan, { root, path, directory: false, what: `device ${path}` })
      refuseProcfs(plan, target, { path, pointer: `device ${path}` })
      attach(plan, `attach the host's ${path}`, [fd, target])
      plan.step(`close the ${target.name}`, 'close', [target])
    }
  }
}

export function planDeviceLinks(plan: Plan, root: number): void {
  const dev = ensureTarget(plan, { root, path: '/dev', directory: true, what: 'the links below /dev' })
  for (const [name, target] of links)
    plan.step(`link /dev/${name} to ${target}`, 'symlinkat', [plan.string(target), dev, plan.string(name)], {
      ignore: ['EEXIST'],
    })
  plan.step('close /dev', 'close', [dev])
}

function planNode(plan: Plan, root: number, device: Device): void {
  const parts = components(device.path)
  const name = parts.pop()
  if (name === undefined)
    throw new SpecError(
      'linux.devices',
      `${JSON.stringify(device.path)} is the root of the container, not a path in it`,
    )
  const parent = `/${parts.join('/')}`
  const directory = ensureTarget(plan, { root, path: parent, directory: true, what: `device ${device.path}` })
  const mode = kind(device) | ((device.fileMode ?? 0o666) & 0o7777)
  const number = device.type === 'p' ? 0 : makedev(device.major ?? 0, device.minor ?? 0)
  plan.step(`make the device node ${device.path}`, 'mknodat', [directory, plan.string(name), mode, number])
  if (device.uid || device.gid) {
    const owner = [device.uid ?? 0, device.gid ?? 0] as const
    const node = [directory, plan.string(name)] as const
    plan.step(`set the owner of ${device.path}`, 'fchownat', [...node, ...owner, AT_SYMLINK_NOFOLLOW])
  }
  plan.step(`close ${parent}`, 'close', [directory])
}

function kind({ type }: Device): number {
  if (type === 'p') return S_IFIFO
  return type === 'b' ? S_IFBLK : S_IFCHR
}
