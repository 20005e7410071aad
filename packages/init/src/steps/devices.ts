/** Steps for device nodes and links below /dev (config-linux.md, "Default Devices"; runtime-linux.md, "Dev symbolic links"). */
import {
  AT_SYMLINK_NOFOLLOW,
  makedev,
  O_CLOEXEC,
  O_PATH,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
} from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { Device } from '@crio-lxc/core/oci/linux'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { answer, planCompare, planStatx, statxOffset } from '../compare.ts'
import { attach, cloneTree, components, ensureTarget, isInProc, refuseProcfs } from '../inside-root.ts'
import { parseMountOptions } from '../mount-options.ts'

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

/** How the nodes of a container come into it. */
export interface DeviceSet {
  readonly devices: readonly Device[]
  /** Those among them that cover what the image has on their path, and are no files of the image's. */
  readonly covering: readonly Device[]
}

/**
 * The devices of a container: the default ones, each replaced by the spec's of the same path, then the rest. The default
 * ones cover the image's own, unless a fresh /dev has none. Undefined for a bind of the host's /dev: it brings its own, and
 * nothing may be written into it.
 */
export function devicesOf(devices: readonly Device[], mounts: readonly Mount[]): DeviceSet | undefined {
  const onDev = mounts.filter(({ destination }) => pathOf(destination) === '/dev')
  if (onDev.some((mount) => isBind(mount) && !mount.options?.includes('remount'))) return undefined
  const mounted = new Set(mounts.map(({ destination }) => pathOf(destination)))
  const byPath = new Map<string, Device>()
  // What the spec mounts in the place of a default device stays.
  for (const device of defaultDevices) if (!mounted.has(device.path)) byPath.set(device.path, device)
  for (const device of devices) byPath.set(pathOf(device.path), device)
  const all = [...byPath.values()]
  const fresh = onDev.some(({ type, options = [] }) => type === 'tmpfs' && !parseMountOptions(options).copyUp)
  return { devices: all, covering: fresh ? [] : all.filter(isDefault) }
}

function pathOf(path: string): string {
  return `/${components(path).join('/')}`
}

/** Also when the spec asks for it with other words. */
function isDefault({ type, path, major, minor, fileMode = 0o666, uid = 0, gid = 0 }: Device): boolean {
  return defaultDevices.some(
    (device) =>
      device.path === pathOf(path) &&
      type === device.type &&
      major === device.major &&
      minor === device.minor &&
      fileMode === device.fileMode &&
      uid === 0 &&
      gid === 0,
  )
}

export interface DeviceInputs extends DeviceSet {
  readonly root: number
  /** By path: detached binds of nodes that create has made, where init may make none. */
  readonly detached: ReadonlyMap<string, number>
  /** The tmpfs of own-nodes.ts, when there are covering devices that init makes. */
  readonly ownNodes: Slot | undefined
}

export function planDevices(plan: Plan, { root, devices, covering, detached, ownNodes }: DeviceInputs): void {
  for (const device of devices) {
    const { path } = device
    if (isInProc(path)) throw new SpecError('linux.devices', `${path} cannot be made because it is inside /proc`)
    const made = detached.get(path)
    const at = covering.indexOf(device)
    if (made !== undefined) planCover(plan, { root, path, node: made })
    else if (at >= 0 && ownNodes) {
      const name = plan.string(String(at))
      plan.step(`make a node for ${path}`, 'mknodat', [ownNodes, name, modeOf(device), numberOf(device)])
      const node = cloneTree(plan, `bind the node for ${path}`, { fd: ownNodes, path: String(at) })
      planCover(plan, { root, path, node })
      plan.step(`close the node for ${path}`, 'close', [node])
    } else planNode(plan, root, device)
  }
}

function planCover(plan: Plan, { root, path, node }: { root: number; path: string; node: Arg }): void {
  const target = ensureTarget(plan, { root, path, directory: false, what: `device ${path}` })
  refuseProcfs(plan, target, { path, pointer: `device ${path}` })
  attach(plan, `attach the node for ${path}`, [node, target])
  plan.step(`close the ${target.name}`, 'close', [target])
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
  const node: Node = { directory, name, device }
  const exists = new Label()
  const end = new Label()
  const make: readonly Arg[] = [directory, plan.string(name), modeOf(device), numberOf(device)]
  plan.step(`make the device node ${device.path}`, 'mknodat', make, { ignore: ['EEXIST'], onIgnored: exists })
  if (device.uid || device.gid) {
    const owner = [device.uid ?? 0, device.gid ?? 0] as const
    const at = [directory, plan.string(name)] as const
    plan.step(`set the owner of ${device.path}`, 'fchownat', [...at, ...owner, AT_SYMLINK_NOFOLLOW])
  }
  plan.step(`close ${parent}`, 'close', [directory], { onOk: end })
  plan.place(exists)
  planCheckNode(plan, node)
  plan.place(end)
}

interface Node {
  readonly directory: Slot
  readonly name: string
  readonly device: Device
}

const STATX_BASIC_STATS = 0x7ff
/** Of the 64 bits that begin with stx_gid, those that say what kind of file it is. */
const KIND = S_IFMT * 2 ** 32

/** A node that is there already, as from an earlier start, is kept with its mode and owner; any other file is an error. */
function planCheckNode(plan: Plan, { directory, name, device }: Node): void {
  const { path } = device
  const found = plan.slot(`what is at ${path}`)
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_NOFOLLOW
  plan.step(`open what is at ${path}`, 'openat', [directory, plan.string(name), flags, 0], { result: found })
  const statx = planStatx(plan, { what: `look at what is at ${path}`, fd: found, mask: STATX_BASIC_STATS })
  const kind = answer(plan, 8)
  plan.step('take its kind', 'and', [plan.wordAt(statx, statxOffset.gid), KIND], { result: plan.wordAt(kind, 0) })
  const differs = new Label()
  const end = new Label()
  planCompare(plan, { what: 'compare its kind', of: kind, offset: 4, value: kindOf(device) }, differs)
  if (device.type !== 'p') {
    const { major = 0, minor = 0 } = device
    planCompare(plan, { what: 'compare its major', of: statx, offset: statxOffset.rdevMajor, value: major }, differs)
    planCompare(plan, { what: 'compare its minor', of: statx, offset: statxOffset.rdevMinor, value: minor }, differs)
  }
  plan.step(`close what is at ${path}`, 'close', [found])
  plan.step('close its directory', 'close', [directory], { onOk: end })
  plan.place(differs)
  plan.step(`make the device node ${path}: something else is there`, 'fail', [errnoTable.EEXIST[0]])
  plan.place(end)
}

function modeOf(device: Device): number {
  return kindOf(device) | ((device.fileMode ?? 0o666) & 0o7777)
}

function numberOf({ type, major = 0, minor = 0 }: Device): number {
  return type === 'p' ? 0 : makedev(major, minor)
}

function kindOf({ type }: Device): number {
  if (type === 'p') return S_IFIFO
  return type === 'b' ? S_IFBLK : S_IFCHR
}
