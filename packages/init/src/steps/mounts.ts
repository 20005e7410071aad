/** Steps that build the container's mount tree below the attached rootfs, in the order of config.json. */
import { MOUNT_ATTR_RDONLY, MS_RDONLY, RESOLVE_NO_SYMLINKS } from '@crio-lxc/core/abi/constants'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { Mount } from '@crio-lxc/core/oci/spec'
import type { Arg, Plan, Slot } from '@crio-lxc/core/plan/plan'
import {
  attach,
  components,
  ensureTarget,
  isInProc,
  ontoFile,
  openMountOn,
  refuseProcfs,
  setMountAttr,
} from '../inside-root.ts'
import { labelledData, labelling } from '../mount-label.ts'
import { type MountOptions, parseMountOptions } from '../mount-options.ts'
import { type KernelMounts, kernelMountPath, placeOf } from './kernel-mounts.ts'
import { planLabelledQueue } from './labelled-queue.ts'
import { filesystemsToRemount, planPropagation, planRemount } from './remount.ts'
import { namesMode, planReadMode, planSetMode } from './tmpfs-mode.ts'
import { planTreeBind, type TreeSource } from './tree-bind.ts'

const ofFilesystems = {
  ENODEV: 'this kernel has no such filesystem: load its module, or give another type',
  EINVAL: 'the filesystem does not take this source or these options: the log of the kernel may say which',
}

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
  /** By index too: binds of what earlier mounts provide. */
  readonly fromTree: ReadonlyMap<number, TreeSource>
  readonly cgroup: CgroupMounts
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
}

/** A mount of the list that something is still to be done to. */
export interface MadeMount {
  readonly path: string
  readonly fd: Slot
  /** Once everything inside is made. */
  readonly readonlyLater: boolean
}

export interface MountTree {
  /** What planReadonlyMounts finishes. */
  readonly made: readonly MadeMount[]
  readonly kernel: KernelMounts
}

export function planMounts(plan: Plan, inputs: MountInputs): MountTree {
  const { root, mounts, detached, fromTree, cgroup, label } = inputs
  const made: MadeMount[] = []
  const kernel = new Map<string, Arg>()
  const toRemount = filesystemsToRemount(mounts)
  const remounted = new Set(toRemount.values())
  const filesystems = new Map<number, Arg>()
  mounts.forEach((mount, index) => {
    const pointer = `mounts[${index}]`
    refuseProcTargets(mount, pointer)
    const source = detached.get(index)
    const kernelPath = kernelMountPath(mount.destination)
    if (source) {
      const { destination: path } = mount
      const place = isInProc(path) ? placeOf(path, root, kernel) : { root, path }
      // No symlink of the image chooses what is /proc.
      const resolve = kernelPath === 'proc' ? RESOLVE_NO_SYMLINKS : 0
      const target = ensureTarget(plan, { ...place, directory: source.directory, what: pointer, resolve })
      if (!isInProc(path)) refuseProcfs(plan, target, { path, pointer })
      const what = `attach ${mount.source ?? mount.type} to ${path} for ${pointer}`
      attach(plan, what, [source.fd, target], source.directory ? undefined : ontoFile(path))
      close(plan, target)
      if (remounted.has(index)) filesystems.set(index, source.fd)
      if (kernelPath !== undefined) kernel.set(kernelPath, source.fd)
      return
    }
    const options = parseMountOptions(mount.options ?? [])
    const inTree = fromTree.get(index)
    if (inTree) {
      const { destination: path } = mount
      const place = isInProc(path) ? placeOf(path, root, kernel) : { root, path }
      const { clone, target } = planTreeBind(plan, { root, place, source: inTree, options, pointer })
      if (!isInProc(path)) refuseProcfs(plan, target, { path, pointer })
      attach(plan, `attach ${inTree.path} of the container to ${path} for ${pointer}`, [clone, target])
      close(plan, target)
      if (kernelPath === undefined) close(plan, clone)
      else kernel.set(kernelPath, clone)
      return
    }
    if (options.remount) {
      const filesystem = filesystems.get(toRemount.get(index) ?? -1)
      planRemount(plan, { root, mount, pointer, options, filesystem })
      return
    }
    const keep = (fd: Slot, readonlyLater: boolean) => made.push({ path: mount.destination, fd, readonlyLater })
    if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
      planCgroupMount(plan, { root, mount, pointer, options, label, cgroup, keep })
      return
    }
    const later = mount.type === 'tmpfs' ? options.flags & MS_RDONLY : 0
    const now = { ...options, flags: options.flags & ~later }
    const kept = later !== 0 || remounted.has(index) || kernelPath !== undefined
    const fd = planNewMount(plan, { root, mount, pointer, options: now, label, kept })
    if (!fd) return
    filesystems.set(index, fd)
    if (kernelPath !== undefined) kernel.set(kernelPath, fd)
    keep(fd, later !== 0)
  })
  return { made, kernel }
}

/** Makes mounts read-only, as a tmpfs had to stay writable while mount points were made inside it, and lets go of all. */
export function planReadonlyMounts(plan: Plan, mounts: readonly MadeMount[]): void {
  for (const { path, fd, readonlyLater } of mounts) {
    if (readonlyLater) setMountAttr(plan, `make ${path} read-only`, { fd, attr: { set: MOUNT_ATTR_RDONLY, clear: 0 } })
    close(plan, fd)
  }
}

interface NewMount {
  readonly root: Arg
  readonly mount: Mount
  readonly pointer: string
  readonly options: MountOptions
  readonly label: string
  /** The mount is needed later on. */
  readonly kept: boolean
}

/**
 * mount(2) onto ".": the target is an fd, so nothing is resolved a second time. Returns the fd of a mount that is kept: by
 * its path the image, or a process that shares a volume with it, could have another found (CVE-2021-30465).
 */
function planNewMount(plan: Plan, inputs: NewMount): Slot | undefined {
  const { root, mount, pointer, options, label, kept } = inputs
  const { destination: path, type } = mount
  if (!type) throw new SpecError(`${pointer}.type`, 'is missing: name a filesystem type, or add the option "bind"')
  // Procfs and sysfs steer the kernel: a symlink of the image must not choose where they appear (CVE-2019-19921).
  const resolve = type === 'proc' || type === 'sysfs' ? RESOLVE_NO_SYMLINKS : 0
  const inherits = type === 'tmpfs' && !namesMode(options.data)
  const mode = inherits ? planReadMode(plan, { root, path, pointer }) : undefined
  const target = ensureTarget(plan, { root, path, directory: true, what: pointer, resolve })
  if (!isInProc(path)) refuseProcfs(plan, target, { path, pointer })
  const how = labelling(type, label)
  if (how === 'root') {
    planLabelledQueue(plan, { target, path, attributes: options.attributes, label, pointer })
  } else {
    const source = plan.string(mount.source || type)
    const data = how === 'none' ? options.data : labelledData(options.data, label, pointer)
    plan.step(`enter ${path} for ${pointer}`, 'fchdir', [target])
    const call = [source, plan.string('.'), plan.string(type), options.flags, data ? plan.string(data) : 0]
    plan.step(`mount ${type} on ${path} for ${pointer}`, 'mount', call, { advice: ofFilesystems })
  }
  const needed = kept || mode !== undefined || options.propagation.length > 0
  const fd = needed ? openMountOn(plan, target, `open the mount on ${path} for ${pointer}`) : undefined
  close(plan, target)
  if (!fd) return undefined
  if (mode) planSetMode(plan, { root, path, pointer }, { mount: fd, mode })
  planPropagation(plan, fd, { path, pointer, options })
  if (kept) return fd
  close(plan, fd)
  return undefined
}

interface CgroupMount extends Omit<NewMount, 'kept'> {
  readonly cgroup: CgroupMounts
  readonly keep: (fd: Slot, readonlyLater: boolean) => void
}

function planCgroupMount(plan: Plan, inputs: CgroupMount): void {
  const { root, mount, pointer, options, label, cgroup, keep } = inputs
  if (cgroup.version === 2) {
    const bind = cgroup.hierarchies[0]?.bind
    if (bind === undefined) {
      const filesystem = { ...mount, type: 'cgroup2', source: 'cgroup' }
      planNewMount(plan, { root, mount: filesystem, pointer, options, label, kept: false })
      return
    }
    const target = ensureTarget(plan, { root, path: mount.destination, directory: true, what: pointer })
    refuseProcfs(plan, target, { path: mount.destination, pointer })
    attach(plan, `attach the container's cgroup to ${mount.destination} for ${pointer}`, [bind, target])
    close(plan, target)
    return
  }
  const tmpfs = { ...options, flags: options.flags & ~MS_RDONLY, data: 'mode=755' }
  const holder = { ...mount, type: 'tmpfs', source: 'tmpfs' }
  const top = planNewMount(plan, { root, mount: holder, pointer, options: tmpfs, label, kept: true }) as Slot
  keep(top, (options.flags & MS_RDONLY) !== 0)
  for (const { name, data, bind } of cgroup.hierarchies) {
    const what = `${mount.destination}/${name} of ${pointer}`
    if (bind === undefined) {
      const hierarchy = { destination: name, type: 'cgroup', source: 'cgroup' }
      const all = { ...options, data, propagation: [] }
      planNewMount(plan, { root: top, mount: hierarchy, pointer: what, options: all, label, kept: false })
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

function refuseProcTargets(mount: Mount, pointer: string): void {
  const { destination, type } = mount
  const [first, ...below] = components(destination)
  if (first === undefined) throw new SpecError(`${pointer}.destination`, 'must not be the root of the container')
  if (first !== 'proc') return
  if (below.length === 0) {
    if (type !== 'proc' && !isBind(mount))
      throw new SpecError(`${pointer}.destination`, `only proc may be mounted on /proc, not ${type || 'a bind'}`)
    return
  }
  if (!belowProc.has(below.join('/')))
    throw new SpecError(`${pointer}.destination`, `${destination} cannot be mounted because it is inside /proc`)
}

function close(plan: Plan, fd: Slot): void {
  plan.step(`close the ${fd.name}`, 'close', [fd])
}
