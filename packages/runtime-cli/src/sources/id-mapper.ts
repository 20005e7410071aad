/**
 * Idmaps the detached clones of sources.ts. mount_setattr(2) takes the mapping as a user namespace, so for each different
 * one a namespace is made that no process stays in. Loaded for a spec that has such mounts only.
 */

import type { Arch } from '@crio-lxc/core/abi/arch'
import { MOUNT_ATTR_IDMAP } from '@crio-lxc/core/abi/constants'
import { errnoSentence } from '@crio-lxc/core/abi/errno'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { SyscallError } from '@crio-lxc/core/errors/syscall-error'
import { idMappingOf, type MountIdMapping, noMappings } from '@crio-lxc/core/oci/id-mapped-mounts'
import { idMapText } from '@crio-lxc/core/oci/id-mapping-rules'
import type { Mount, Spec } from '@crio-lxc/core/oci/spec'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { mountSetattr } from '@crio-lxc/core/sys/mount'
import { makeUserNamespace } from '../namespaces/make-user-namespace.ts'
import type { OpenNamespaces } from '../namespaces/plan/open-namespaces.ts'

export interface IdMapperInputs {
  readonly arch: Arch
  /** Path of crio-lxc-init. */
  readonly executor: string
  readonly timeoutMs: number
  readonly namespaces: OpenNamespaces
}

export class IdMapper {
  readonly #spec: Spec
  readonly #inputs: IdMapperInputs
  readonly #fds: FdScope
  /** By their mappings as text. */
  readonly #made = new Map<string, number>()

  /** `fds` closes the namespaces. */
  constructor(spec: Spec, inputs: IdMapperInputs, fds: FdScope) {
    this.#spec = spec
    this.#inputs = inputs
    this.#fds = fds
  }

  /** Gives the detached mount `fd` the mapping of the mount at `pointer`, whose source is `path`, if it asks for one. */
  apply(fd: number, mount: Mount, { pointer, path }: { pointer: string; path: string }): void {
    const mapping = this.mappingOf(mount, pointer)
    if (!mapping) return
    const { userNamespace, recursive } = mapping
    try {
      mountSetattr(fd, { set: MOUNT_ATTR_IDMAP, userNamespace, recursive })
    } catch (cause) {
      throw new SpecError(`${pointer}.source`, `idmap ${path}: ${explain(cause, recursive)}`)
    }
  }

  /** The mapping of the mount at `pointer`, in an open user namespace; undefined when it asks for none. */
  mappingOf(mount: Mount, pointer: string): { userNamespace: number; recursive: boolean } | undefined {
    const mapping = idMappingOf(mount, this.#spec)
    if (!mapping) return undefined
    return { userNamespace: this.#namespaceOf(mount, mapping, pointer), recursive: mapping.recursive }
  }

  #namespaceOf(mount: Mount, mapping: MountIdMapping, pointer: string): number {
    const { created, joined } = this.#inputs.namespaces
    if (mapping.ofNamespace) {
      const ofContainer = joined.get('user')
      if (ofContainer !== undefined) return ofContainer
      if (!created.has('user')) throw noMappings(mount, pointer)
    }
    const maps = { uidMap: idMapText(mapping.uidMappings), gidMap: idMapText(mapping.gidMappings) }
    const key = `${maps.uidMap}\n${maps.gidMap}`
    const known = this.#made.get(key)
    if (known !== undefined) return known
    try {
      const fd = this.#fds.keep(makeUserNamespace({ ...this.#inputs, ...maps }))
      this.#made.set(key, fd)
      return fd
    } catch (cause) {
      const problem = `make a user namespace for the mappings: ${messageOf(cause)}`
      throw new SpecError(`${pointer}.${mapping.field}`, problem)
    }
  }
}

/** What the kernel's word for a mount that it cannot idmap means (can_idmap_mount in fs/namespace.c). */
function explain(cause: unknown, recursive: boolean): string {
  const reason = cause instanceof SyscallError ? errnoSentence(cause.errno) : messageOf(cause)
  const filesystem = recursive ? 'its filesystem, or that of a mount below it,' : 'its filesystem'
  if (cause instanceof SyscallError && cause.errnoName === 'EINVAL')
    return `${reason}: ${filesystem} does not support idmapped mounts`
  if (cause instanceof SyscallError && cause.errnoName === 'EPERM')
    return `${reason}: it is idmapped already, or ${filesystem} belongs to another user namespace`
  return reason
}
