/**
 * Everything of the host that goes into a container, opened before the container exists: detached mounts that init
 * inherits as fds. Nothing is named by path afterwards, so nothing can be exchanged (CVE-2025-31133).
 */

import { MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_REC } from '@crio-lxc/core/abi/constants'
import { resolvePath } from '@crio-lxc/core/abi/path'
import { SpecError } from '@crio-lxc/core/errors/runtime-error'
import { log } from '@crio-lxc/core/host/log/logger'
import { isBind } from '@crio-lxc/core/oci/bind-mounts'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import { dupAbove } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { filesystemType, fstat } from '@crio-lxc/core/sys/files'
import { components } from '@crio-lxc/init/inside-root'
import { type MountOptions, parseMountOptions } from '@crio-lxc/init/mount-options'
import type { TreeSource } from '@crio-lxc/init/steps/tree-bind'
import { type BindContext, type MountSource, openBind } from './bind-source.ts'
import { CopyBudget } from './copy-budget.ts'
import { openTmpfsWithCopy } from './copy-up.ts'
import { isMadeOfHostFiles, openHostFilesystem } from './host-filesystem.ts'
import type { IdMapper } from './id-mapper.ts'
import { withNodes } from './nodes.ts'
import type { Sources } from './plan/open-sources.ts'
import { openRootfs, rootfsPropagation } from './rootfs.ts'
import { MountPoints } from './tree-source.ts'

const PROC_SUPER_MAGIC = 0x9fa0
const PROC_ROOT_INO = 1n

export interface SourceOptions {
  /** Absolute paths. */
  readonly bundle: string
  /** Path of the rootfs. */
  readonly rootfs: string
  /** Of the container's user namespace; undefined: it has the runtime's. */
  readonly ids: IdMappings | undefined
  /** Given when there are idmapped mounts (`hasIdMappedMounts`). */
  readonly idMapper: Pick<IdMapper, 'apply' | 'mappingOf'> | undefined
  /**
   * A mount of type sysfs shows the host's, as in crun: the kernel gives a new one to those alone whose user namespace the
   * network namespace belongs to.
   */
  readonly hostSysfs: boolean
  /** For `debug plan`: nothing is changed on the host. */
  readonly preview?: boolean
}

/** Throws SpecError for a source that is missing or is not what it should be. All that is opened is for `fds`. */
export function openSources(spec: Spec, options: SourceOptions, fds: FdScope): Sources {
  const { ids } = options
  const rootfs = openRootfs(spec, options.bundle, fds)
  const mounts = new Map<number, MountSource>()
  const fromTree = new Map<number, TreeSource>()
  const points = new MountPoints(options.rootfs)
  const context = { ...options, rootfs, label: spec.linux?.mountLabel ?? '', budget: budgetOf(spec), fds }
  spec.mounts?.forEach((mount, index) => {
    const pointer = `mounts[${index}]`
    const inTree = treeSource(mount, { ...options, pointer, points })
    points.add(mount)
    if (inTree) {
      const { idmap } = inTree
      // One of its own, for init: the mapper closes the other.
      const own = idmap && { ...idmap, userNamespace: fds.keep(dupAbove(idmap.userNamespace, 3)) }
      fromTree.set(index, { ...inTree, idmap: own })
      return
    }
    const source = openMount(mount, { ...context, pointer })
    if (source) mounts.set(index, source)
  })
  const opened = { rootfs, mounts, fromTree, devices: new Map(), nullDevice: undefined, staged: [] }
  if (!ids) return opened
  const ofRootfs = { fd: rootfs, directory: true, propagation: [rootfsPropagation(spec) | MS_REC] }
  return withNodes({ ...opened, staged: [ofRootfs, ...mounts.values()] }, { spec, ids, fds })
}

/** Looked at for the first mount that needs it. */
function budgetOf(spec: Spec): () => CopyBudget {
  let shared: CopyBudget | undefined
  return () => {
    shared ??= CopyBudget.of(spec)
    return shared
  }
}

interface MountContext {
  readonly pointer: string
  readonly bundle: string
  readonly rootfs: number
  readonly label: string
  readonly ids: IdMappings | undefined
  readonly preview?: boolean
  readonly idMapper: SourceOptions['idMapper']
  readonly hostSysfs: boolean
  /** Of all mounts with tmpcopyup. */
  readonly budget: () => CopyBudget
  readonly fds: FdScope
}

interface TreeContext extends Pick<SourceOptions, 'bundle' | 'ids' | 'idMapper'> {
  readonly pointer: string
  /** Of the mounts before it. */
  readonly points: MountPoints
}

/** Undefined for what is to be opened on the host. */
function treeSource(mount: Mount, { pointer, bundle, points, ids, idMapper }: TreeContext): TreeSource | undefined {
  // What is mounted on /proc must be proven to be a procfs, which only create can do.
  if (!mount.source || !isBind(mount) || components(mount.destination).join('/') === 'proc') return undefined
  const options = parseMountOptions(mount.options ?? [])
  const path = options.remount ? undefined : points.sourceInTree(resolvePath(bundle, mount.source), options)
  if (path === undefined) return undefined
  warnOfIgnored(options, pointer)
  const idmap = idMapper?.mappingOf(mount, pointer)
  if (idmap && ids)
    throw new SpecError(
      `${pointer}.source`,
      `${mount.source} is what an earlier mount provides, which cannot be idmapped in a user namespace: bind its own source`,
    )
  return { path, idmap }
}

function openMount(mount: Mount, context: MountContext): MountSource | undefined {
  const { pointer, bundle, rootfs, label, preview = false, ids, idMapper, budget, hostSysfs, fds } = context
  const options = parseMountOptions(mount.options ?? [])
  const { type = '', source } = mount
  if (isBind(mount)) {
    warnOfIgnored(options, pointer)
    // A change of the mount that init finds at the destination: nothing of the host is bound.
    if (options.remount) return undefined
    if (!source) throw new SpecError(`${pointer}.source`, 'is missing: a bind mount needs the path to bind')
    const path = source.startsWith('/') ? source : `${bundle}/${source}`
    const bind = openBind(path, options, { pointer, staged: ids !== undefined, fds })
    if (components(mount.destination).join('/') === 'proc') refuseFalseProc(bind.fd, path, pointer)
    idMapper?.apply(bind.fd, mount, { pointer, path })
    return bind
  }
  if (type === 'sysfs' && hostSysfs) return openHostSysfs(options, { pointer, staged: ids !== undefined, fds })
  if (options.copyUp) {
    if (type !== 'tmpfs') throw new SpecError(`${pointer}.options`, 'tmpcopyup is for mounts of type tmpfs')
    const fd = fds.keep(openTmpfsWithCopy(mount, { options, rootfs, pointer, label, ids, budget: budget() }))
    return { fd, directory: true, propagation: [MS_PRIVATE] }
  }
  if (options.remount || !isMadeOfHostFiles(mount)) return undefined
  const propagation = [MS_PRIVATE, ...options.propagation]
  const made = { options: ids ? { ...options, propagation: [] } : options, bundle, pointer, label, preview }
  return { fd: fds.keep(openHostFilesystem(mount, made)), directory: true, propagation }
}

/** What is mounted below /sys comes with it, and is read-only where it is. */
function openHostSysfs(options: MountOptions, context: BindContext): MountSource {
  const ofTree = options.attributes & MOUNT_ATTR_RDONLY ? { set: MOUNT_ATTR_RDONLY, clear: 0 } : undefined
  return openBind('/sys', { ...options, recursive: true, ofTree }, context)
}

/** As the peers, which take what callers such as podman pass on (`nocopy`): the mount has the flags that are flags of a mount. */
function warnOfIgnored({ ofFilesystem }: MountOptions, pointer: string): void {
  if (ofFilesystem.length === 0) return
  const names = ofFilesystem.map((option) => JSON.stringify(option)).join(', ')
  log.warn(`${pointer}.options: ${names} ignored: a bind mount has no options of a filesystem`, { c: 'mounts' })
}

/** Anything but a procfs at /proc would make the container's programs believe it (CVE-2019-16884). */
function refuseFalseProc(fd: number, path: string, pointer: string): void {
  if (filesystemType(`/proc/self/fd/${fd}`) === PROC_SUPER_MAGIC && fstat(fd).ino === PROC_ROOT_INO) return
  throw new SpecError(
    `${pointer}.source`,
    `${path} cannot be mounted on /proc because it is not a procfs with all that is in it: give /proc`,
  )
}
