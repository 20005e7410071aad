/**
 * Device nodes for a user namespace, where nobody can make any: made on the host in a tmpfs that is attached nowhere, with
 * exactly the number, mode and owner of config.json. The host's own nodes would bring its owner and mode, and let root of a
 * namespace that has the host's change them.
 */

import { MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, makedev, S_IFBLK, S_IFCHR } from '@crio-lxc/core/abi/constants'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { type IdMappings, toHostId } from '@crio-lxc/core/oci/id-mappings'
import type { Device } from '@crio-lxc/core/oci/linux'
import { close, type Fd } from '@crio-lxc/core/sys/fd'
import { makeNode } from '@crio-lxc/core/sys/files'
import { newMount } from '@crio-lxc/core/sys/mount'
import { changeMode, changeOwner } from '@crio-lxc/core/sys/owner-and-mode'

/** fd of the tmpfs; the node of `devices[n]` is its file `n`. */
export function makeDeviceNodes(devices: readonly Device[], ids: IdMappings): Fd {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
  const fd = newMount({ type: 'tmpfs', source: 'tmpfs', parameters: ['mode=755'], attributes })
  try {
    for (const [index, device] of devices.entries()) makeDeviceNode(`/proc/self/fd/${fd}/${index}`, device, ids)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

function makeDeviceNode(file: string, device: Device, { uids, gids }: IdMappings): void {
  const { path, type, major = 0, minor = 0, fileMode = 0o666 } = device
  const owner = [
    hostId(uids, device.uid, `${path} cannot belong to user`),
    hostId(gids, device.gid, `${path} cannot belong to group`),
  ] as const
  try {
    makeNode(file, type === 'b' ? S_IFBLK : S_IFCHR, makedev(major, minor))
    changeOwner(file, ...owner)
    changeMode(file, fileMode & 0o7777)
  } catch (cause) {
    throw new SpecError('linux.devices', `make the device node ${path} for a user namespace: ${messageOf(cause)}`)
  }
}

function hostId(mappings: IdMappings['uids'], id: number | undefined, problem: string): number {
  const host = toHostId(mappings, id ?? 0)
  if (host === undefined)
    throw new SpecError('linux.devices', `${problem} ${id}: it is not mapped in the user namespace`)
  return host
}
