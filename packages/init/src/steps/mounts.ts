/** Steps that build the container's mount tree below the attached rootfs, in the order of config.json. */
import {
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  MS_RDONLY,
  MS_REMOUNT,
  O_PATH,
  RESOLVE_NO_SYMLINKS,
} from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Mount } from '@crio-lxc/core/oci/spec'
import type { Arg, Plan, Slot } from '@crio-lxc/core/plan/plan'
import { attach, components, ensureTarget, openInRoot, refuseProcfs, setMountAttr } from '../inside-root.ts'
import { labelledData, labelling } from '../mount-label.ts'
import { type MountOptions, parseMountOptions } from '../mount-options.ts'
import { planLabelledQueue } from './labelled-queue.ts'

/** A mount that create made on the host: detached, with its attributes and propagation already set. */
export interface DetachedMount {
  readonly fd: number
  readonly directory: boolean
}

/** One v1 hierarchy of a cgroup mount: its directory name, the mount data, and the container's own cgroup. */
export interface CgroupHierarchyMount {
  readonly name: string
  readonly data: string
  /** Detached bind of the container's cgroup; absent with a cgroup namespace, where the hierarchy is mounted anew. */
  readonly bind?: number
}

/** What a mount of type cgroup or cgroup2 shows. */
export interface CgroupMounts {
  readonly version: 1 | 2
  readonly hierarchies: readonly CgroupHierarchyMount[]
  /** Other names of co-mounted controllers, such as cpu for cpu,cpuacct. */
  readonly links: readonly (readonly [name: string, target: string])[]
}

export interface MountInputs {
  /** The rootfs, attached. */
  readonly root: number
  readonly mounts: readonly Mount[]
  /** By index in `mounts`: binds and other sources that were opened on the host. */
  readonly detached: ReadonlyMap<number, DetachedMount>
  readonly cgroup: CgroupMounts
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
}

/** Returns what must become read-only once everything inside is made. */
export function planMounts(plan: Plan, { root, mounts, detached, cgroup, label }: MountInputs): string[] {
  const readonlyLater: string[] = []
  mounts.forEach((mount, index) => {
    const pointer = `mounts[${index}]`
    refuseProcTargets(mount, pointer)
    const source = detached.get(index)
    if (source) {
      const { destination: path } = mount
      const target = ensureTarget(plan, { root, path, directory: source.directory, what: pointer })
      refuseProcfs(plan, target, { path, pointer })
      attach(plan, `attach ${mount.source ?? mount.type} to ${path} for ${pointer}`, [source.fd, target])
      close(plan, target)
      return
    }
    const options = parseMountOptions(mount.options ?? [])
    if (options.remount) {
      planRemount(plan, { root, mount, pointer, options, label }, mounts.slice(0, index))
      return
    }
    if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
      planCgroupMount(plan, { root, mount, pointer, options, label, cgroup, readonlyLater })
      return
    }
    const later = mount.type === 'tmpfs' ? options.flags & MS_RDONLY : 0
    if (later) readonlyLater.push(mount.destination)
    planNewMount(plan, { root, mount, pointer, options: { ...options, flags: options.flags & ~later }, label })
  })
  return readonlyLater
}

/** Makes the mounts at `paths` read-only: a tmpfs had to stay writable while mount points were made inside it. */
export function planReadonlyMounts(plan: Plan, root: number, paths: readonly string[]): void {
  for (const path of paths) {
    const fd = plan.slot(path)
    openInRoot(plan, { root, path }, { what: `open ${path} to make it read-only`, result: fd })
    setMountAttr(plan, `make ${path} read-only`, { fd, attr: { set: MOUNT_ATTR_RDONLY, clear: 0 } })
    close(plan, fd)
  }
}

interface NewMount {
  readonly root: Arg
  readonly mount: Mount
  readonly pointer: string
  readonly options: MountOptions
  readonly label: string
}

/** mount(2) onto ".": the target is an fd, so nothing is resolved a second time. */
function planNewMount(plan: Plan, inputs: NewMount): void {
  const { root, mount, pointer, options, label } = inputs
  const { destination: path, type } = mount
  if (!type) throw new SpecError(`${pointer}.type`, 'is missing: name a filesystem type, or add the option "bind"')
  // Procfs and sysfs steer the kernel: a symlink of the image must not choose where they appear (CVE-2019-19921).
  const resolve = type === 'proc' || type === 'sysfs' ? RESOLVE_NO_SYMLINKS : 0
  const target = ensureTarget(plan, { root, path, directory: true, what: pointer, resolve })
  refuseProcfs(plan, target, { path, pointer })
  const how = labelling(type, label)
  if (how === 'root') {
    const attributes = options.attrSet | options.recursiveSet
    planLabelledQueue(plan, { target, path, attributes, label, pointer })
  } else {
    const source = plan.string(mount.source || type)
    const data = how === 'none' ? options.data : labelledData(options.data, label, pointer)
    plan.step(`enter ${path} for ${pointer}`, 'fchdir', [target])
    plan.step(`mount ${type} on ${path} for ${pointer}`, 'mount', [
      source,
      plan.string('.'),
      plan.string(type),
      options.flags,
      data ? plan.string(data) : 0,
    ])
  }
  close(plan, target)
  planPropagation(plan, inputs)
}

/**
 * The option "remount": of a bind the attributes of the mount that is there, else the flags and the data of a filesystem,
 * which has to be one that this list has made: any other is the host's too.
 */
function planRemount(plan: Plan, inputs: NewMount, before: readonly Mount[]): void {
  const { root, mount, pointer, options } = inputs
  const { destination: path, type = '' } = mount
  const fd = plan.slot(path)
  openInRoot(plan, { root, path }, { what: `open ${path} for ${pointer}`, result: fd })
  if (options.bind || type === 'bind') {
    const { attrSet, attrClear, recursiveSet, recursiveClear } = options
    const change = `change the attributes of ${path} for ${pointer}`
    if (recursiveSet || recursiveClear)
      setMountAttr(plan, `${change} and below`, {
        fd,
        attr: { set: recursiveSet, clear: recursiveClear },
        recursive: AT_RECURSIVE,
      })
    if (attrSet || attrClear) setMountAttr(plan, change, { fd, attr: { set: attrSet, clear: attrClear } })
  } else {
    const at = components(path).join('/')
    const made = before.findLast(({ destination }) => components(destination).join('/') === at)
    if (!made || made.type !== type || type.startsWith('cgroup'))
      throw new SpecError(
        `${pointer}.options`,
        `"remount" needs an earlier mount of type ${JSON.stringify(type)} on ${path}: add "bind" to change a bind mount`,
      )
    plan.step(`enter ${path} for ${pointer}`, 'fchdir', [fd])
    const data = options.data ? plan.string(options.data) : 0
    const call: readonly Arg[] = [0, plan.string('.'), 0, options.flags | MS_REMOUNT, data]
    plan.step(`remount ${path} for ${pointer}`, 'mount', call)
  }
  close(plan, fd)
  planPropagation(plan, inputs)
}

function planPropagation(plan: Plan, { root, mount: { destination: path }, pointer, options }: NewMount): void {
  if (options.propagation.length === 0) return
  const fd = plan.slot(path)
  const flags = O_PATH | plan.arch.O_DIRECTORY
  openInRoot(plan, { root, path }, { what: `open ${path} for the propagation of ${pointer}`, flags, result: fd })
  plan.step(`enter ${path} for ${pointer}`, 'fchdir', [fd])
  for (const change of options.propagation)
    plan.step(`set the propagation of ${path} for ${pointer}`, 'mount', [0, plan.string('.'), 0, change, 0])
  close(plan, fd)
}

interface CgroupMount extends NewMount {
  readonly cgroup: CgroupMounts
  readonly readonlyLater: string[]
}

function planCgroupMount(plan: Plan, inputs: CgroupMount): void {
  const { root, mount, pointer, options, label, cgroup, readonlyLater } = inputs
  if (cgroup.version === 2) {
    const bind = cgroup.hierarchies[0]?.bind
    if (bind === undefined) {
      planNewMount(plan, { root, mount: { ...mount, type: 'cgroup2', source: 'cgroup' }, pointer, options, label })
      return
    }
    const target = ensureTarget(plan, { root, path: mount.destination, directory: true, what: pointer })
    refuseProcfs(plan, target, { path: mount.destination, pointer })
    attach(plan, `attach the container's cgroup to ${mount.destination} for ${pointer}`, [bind, target])
    close(plan, target)
    return
  }
  if (options.flags & MS_RDONLY) readonlyLater.push(mount.destination)
  const tmpfs = { ...options, flags: options.flags & ~MS_RDONLY, data: 'mode=755' }
  planNewMount(plan, { root, mount: { ...mount, type: 'tmpfs', source: 'tmpfs' }, pointer, options: tmpfs, label })
  const top = plan.slot(mount.destination)
  const flags = O_PATH | plan.arch.O_DIRECTORY
  openInRoot(plan, { root, path: mount.destination }, { what: `open ${mount.destination}`, flags, result: top })
  for (const { name, data, bind } of cgroup.hierarchies) {
    const what = `${mount.destination}/${name} of ${pointer}`
    if (bind === undefined) {
      const hierarchy = { destination: name, type: 'cgroup', source: 'cgroup' }
      const all = { ...options, data, propagation: [] }
      planNewMount(plan, { root: top, mount: hierarchy, pointer: what, options: all, label })
      continue
    }
    const target = ensureTarget(plan, { root: top, path: name, directory: true, what })
    attach(plan, `attach the container's ${name} cgroup to ${what}`, [bind, target])
    close(plan, target)
  }
  for (const [name, target] of cgroup.links)
    plan.step(`link ${mount.destination}/${name} to ${target} for ${pointer}`, 'symlinkat', [
      plan.string(target),
      top,
      plan.string(name),
    ])
  close(plan, top)
}

/** What may be mounted below /proc, as in runc: files that lxcfs and its like provide, and nothing that steers. */
const belowProc = new Set([
  'cpuinfo',
  'diskstats',
  'meminfo',
  'stat',
  'swaps',
  'uptime',
  'loadavg',
  'slabinfo',
  'net/dev',
  'sys/kernel/ns_last_pid',
  'sys/crypto/fips_enabled',
])

function refuseProcTargets({ destination, type }: Mount, pointer: string): void {
  const [first, ...below] = components(destination)
  if (first === undefined) throw new SpecError(`${pointer}.destination`, 'must not be the root of the container')
  if (first !== 'proc') return
  if (below.length === 0) {
    if (type !== 'proc' && type !== 'bind')
      throw new SpecError(`${pointer}.destination`, `only proc may be mounted on /proc, not ${type || 'a bind'}`)
    return
  }
  if (!belowProc.has(below.join('/')))
    throw new SpecError(`${pointer}.destination`, `${destination} cannot be mounted because it is inside /proc`)
}

function close(plan: Plan, fd: Slot): void {
  plan.step(`close the ${fd.name}`, 'close', [fd])
}
