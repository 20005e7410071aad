/**
 * Everything of the host that goes into a container, opened before the container exists: detached mounts that init
 * inherits as fds. Nothing is named by path afterwards, so nothing can be exchanged (CVE-2025-31133).
 */
import { closeSync, fstatSync, statfsSync } from 'node:fs'
import { AT_FDCWD, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, makedev } from '@crio-lxc/core/abi/constants'
import { messageOf, RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { type HostNetDevices, openNetDevices } from '@crio-lxc/core/host/net-devices'
import type { Device } from '@crio-lxc/core/oci/linux'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { cloneTree, mountSetattr } from '@crio-lxc/core/sys/libc'
import { components } from '@crio-lxc/init/inside-root'
import { type MountOptions, parseMountOptions, parsePropagation } from '@crio-lxc/init/mount-options'
import { devicesOf } from '@crio-lxc/init/steps/devices'
import type { DetachedMount } from '@crio-lxc/init/steps/mounts'
import { openTmpfsWithCopy } from './copy-up.ts'
import { isMadeOfHostFiles, openHostFilesystem } from './host-filesystem.ts'
import type { IdMapper } from './id-mapper.ts'

export interface Sources {
  readonly rootfs: number
  readonly mounts: ReadonlyMap<number, DetachedMount>
  readonly devices: ReadonlyMap<string, number>
  readonly nullDevice: number
  readonly netDevices: HostNetDevices | undefined
  /** Every fd above, for inheritance and closing. */
  readonly fds: readonly number[]
}

const PROC_SUPER_MAGIC = 0x9fa0

export interface SourceOptions {
  /** Absolute paths. */
  readonly bundle: string
  readonly rootfs: string
  /** Given when there are idmapped mounts (`hasIdMappedMounts`). */
  readonly idMapper: Pick<IdMapper, 'apply'> | undefined
  /** For `debug plan`: nothing is changed on the host. */
  readonly preview?: boolean
}

/** Throws SpecError for a source that is missing or is not what it should be; then nothing stays open. */
export function openSources(spec: Spec, { bundle, rootfs: path, idMapper, preview = false }: SourceOptions): Sources {
  const fds: number[] = []
  const keep = (fd: number): number => {
    fds.push(fd)
    return fd
  }
  try {
    const rootfs = keep(openRootfs(path, spec.linux?.rootfsPropagation))
    const nullDevice = keep(openDevice({ type: 'c', path: '/dev/null', major: 1, minor: 3 }))
    const mounts = new Map<number, DetachedMount>()
    const label = spec.linux?.mountLabel ?? ''
    spec.mounts?.forEach((mount, index) => {
      const context = { pointer: `mounts[${index}]`, bundle, rootfs, label, preview, idMapper }
      const source = openMount(mount, context)
      if (source) {
        keep(source.fd)
        mounts.set(index, source)
      }
    })
    const devices = new Map<string, number>()
    if (!hasFreshDev(spec)) for (const device of bindable(spec)) devices.set(device.path, keep(openDevice(device)))
    const netDevices = openNetDevices(spec.linux?.netDevices)
    if (netDevices) keep(netDevices.socket)
    return { rootfs, mounts, devices, nullDevice, netDevices, fds }
  } catch (error) {
    for (const fd of fds) closeSync(fd)
    throw error
  }
}

/** The clone of a shared mount stays its peer, so it becomes private at once; a slave where the spec wants events. */
function openRootfs(path: string, rootfsPropagation = ''): number {
  let fd: number
  try {
    fd = cloneTree(AT_FDCWD, path, { recursive: true })
  } catch (cause) {
    throw new SpecError('root.path', `open ${path}: ${reasonOf(cause)}`)
  }
  const propagation = parsePropagation(rootfsPropagation) & ~MS_REC
  const slave = propagation !== 0 && propagation !== MS_PRIVATE
  try {
    mountSetattr(fd, { propagation: slave ? MS_SLAVE : MS_PRIVATE, recursive: true })
    if (!fstatSync(fd).isDirectory()) throw new SpecError('root.path', `${path} is not a directory`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return fd
}

interface MountContext {
  readonly pointer: string
  readonly bundle: string
  readonly rootfs: number
  readonly label: string
  readonly preview: boolean
  readonly idMapper: SourceOptions['idMapper']
}

function openMount(mount: Mount, context: MountContext): DetachedMount | undefined {
  const { pointer, bundle, rootfs, label, preview, idMapper } = context
  const options = parseMountOptions(mount.options ?? [])
  const { type = '', source } = mount
  if (options.bind || type === 'bind') {
    const [impossible] = options.ofFilesystem
    if (impossible !== undefined)
      throw new SpecError(`${pointer}.options`, `"${impossible}" is an option of filesystems: a bind mount has none`)
    // A change of the mount that init finds at the destination: nothing of the host is bound.
    if (options.remount) return undefined
    if (!source) throw new SpecError(`${pointer}.source`, 'is missing: a bind mount needs the path to bind')
    const path = source.startsWith('/') ? source : `${bundle}/${source}`
    const bind = openBind(path, options, `${pointer}.source`)
    try {
      if (components(mount.destination).join('/') === 'proc') refuseFalseProc(bind.fd, path, pointer)
      idMapper?.apply(bind.fd, mount, { pointer, path })
    } catch (error) {
      closeSync(bind.fd)
      throw error
    }
    return bind
  }
  if (options.copyUp) {
    if (type !== 'tmpfs') throw new SpecError(`${pointer}.options`, 'tmpcopyup is for mounts of type tmpfs')
    return { fd: openTmpfsWithCopy(mount, { options, rootfs, pointer, label }), directory: true }
  }
  if (!options.remount && isMadeOfHostFiles(mount))
    return { fd: openHostFilesystem(mount, { options, bundle, pointer, label, preview }), directory: true }
  return undefined
}

/** Anything but a procfs at /proc would make the container's programs believe it (CVE-2019-16884). */
function refuseFalseProc(fd: number, path: string, pointer: string): void {
  if (statfsSync(`/proc/self/fd/${fd}`).type === PROC_SUPER_MAGIC) return
  throw new SpecError(`${pointer}.source`, `${path} cannot be mounted on /proc because it is not a procfs`)
}

function openBind(path: string, options: MountOptions, pointer: string): DetachedMount {
  let fd: number
  try {
    fd = cloneTree(AT_FDCWD, path, { recursive: options.recursive })
  } catch (cause) {
    throw new SpecError(pointer, `open ${path}: ${reasonOf(cause)}`)
  }
  try {
    applyBindOptions(fd, options)
    return { fd, directory: fstatSync(fd).isDirectory() }
  } catch (cause) {
    closeSync(fd)
    throw new SpecError(pointer, `bind ${path} with its options: ${reasonOf(cause)}`)
  }
}

/** Propagation as asked, private otherwise; then the attributes, of the top mount alone as bind mounts have them. */
function applyBindOptions(fd: number, options: MountOptions): void {
  const { attrSet, attrClear, recursiveSet, recursiveClear, propagation } = options
  for (const change of [inheritedPropagation(propagation), ...propagation])
    if (change) mountSetattr(fd, { propagation: change & ~MS_REC, recursive: (change & MS_REC) !== 0 })
  if (recursiveSet || recursiveClear) mountSetattr(fd, { set: recursiveSet, clear: recursiveClear, recursive: true })
  if (attrSet || attrClear) mountSetattr(fd, { set: attrSet, clear: attrClear })
}

/**
 * What a clone becomes before the wishes of the spec: a peer of the host's mount where it is to be shared (that is
 * what Bidirectional volumes are), a slave where it is to receive, private in every other case.
 */
function inheritedPropagation(propagation: readonly number[]): number {
  if (propagation.some((change) => change & MS_SHARED)) return 0
  return (propagation.some((change) => change & MS_SLAVE) ? MS_SLAVE : MS_PRIVATE) | MS_REC
}

/** A tmpfs on /dev has no nodes of the image's in it, so all of them can be made. */
function hasFreshDev({ mounts = [] }: Spec): boolean {
  return mounts.some(({ destination, type }) => type === 'tmpfs' && /^\/*dev\/*$/.test(destination))
}

/** Devices for which the host's own node can be bound over whatever the image has there. */
function bindable({ linux }: Spec): Device[] {
  return devicesOf(linux?.devices ?? []).filter(({ type, path, fileMode = 0o666, uid = 0, gid = 0 }) => {
    return (
      type === 'c' && /^\/dev\/(null|zero|full|random|urandom|tty)$/.test(path) && fileMode === 0o666 && !uid && !gid
    )
  })
}

/** A detached bind of a host device, whose number is checked on the fd that is handed on. */
function openDevice({ path, major = 0, minor = 0 }: Device): number {
  let fd: number
  try {
    fd = cloneTree(AT_FDCWD, path, { recursive: false })
  } catch (cause) {
    throw new RuntimeError('io', `open the host's ${path}: ${reasonOf(cause)}`, { cause })
  }
  const stat = fstatSync(fd)
  if (!stat.isCharacterDevice() || stat.rdev !== makedev(major, minor)) {
    closeSync(fd)
    throw new RuntimeError(
      'io',
      `use the host's ${path}: it is not the device ${major}:${minor}: repair the host's /dev`,
    )
  }
  mountSetattr(fd, { propagation: MS_PRIVATE })
  return fd
}

function reasonOf(error: unknown): string {
  const message = messageOf(error)
  return message.slice(message.lastIndexOf(': ') + 2)
}
