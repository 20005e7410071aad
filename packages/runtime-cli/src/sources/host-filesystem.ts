/**
 * Filesystems that are made of files of the host: overlays, and those of a block device. Init, which sees nothing of
 * the host, could not mount them; they are made here, attached nowhere.
 */

import { MS_RDONLY, MS_REC, O_PATH } from '@crio-lxc/core/abi/constants'
import { resolvePath } from '@crio-lxc/core/abi/path'
import { messageOf, SpecError } from '@crio-lxc/core/errors/runtime-error'
import type { Mount } from '@crio-lxc/core/oci/spec'
import type { Fd } from '@crio-lxc/core/sys/fd'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { O_DIRECTORY, openFile } from '@crio-lxc/core/sys/files'
import { mountSetattr, newMount } from '@crio-lxc/core/sys/mount'
import { labelling, refuseOtherContext } from '@crio-lxc/init/mount-label'
import type { MountOptions } from '@crio-lxc/init/mount-options'

/** Made by the kernel for the namespaces of whoever mounts them: their source is a mere name. */
const ofNamespaces = new Set(['proc', 'sysfs', 'tmpfs', 'ramfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'])

export function isMadeOfHostFiles({ type = '', source = '' }: Mount): boolean {
  return type === 'overlay' || (type !== '' && source.startsWith('/') && !ofNamespaces.has(type))
}

export interface HostFilesystem {
  readonly options: MountOptions
  /** Where relative paths begin. */
  readonly bundle: string
  readonly pointer: string
  /** linux.mountLabel; the empty string is none. */
  readonly label: string
  /** For `debug plan`: an empty stand-in, because to mount a filesystem is to change it. */
  readonly preview: boolean
}

/** fd of the detached mount, with its attributes and its propagation. */
export function openHostFilesystem(mount: Mount, { options, bundle, pointer, label, preview }: HostFilesystem): Fd {
  const { type = '', source = '', destination } = mount
  const context = labelling(type, label) === 'context' ? label : ''
  if (context) refuseOtherContext(options.data, pointer)
  const { attributes } = options
  if (preview) return newMount({ type: 'tmpfs', source: 'preview', parameters: [], attributes })
  return withFds((layers) => {
    const openLayer = (path: string): string =>
      `/proc/self/fd/${layers.keep(openFile(resolvePath(bundle, path), O_PATH | O_DIRECTORY))}`
    try {
      const ofFilesystem = options.ofFilesystem.flatMap((option) => option.split(/(?<!\\),/))
      const parameters = [
        ...(options.flags & MS_RDONLY ? ['ro'] : []),
        ...(type === 'overlay' ? ofFilesystem.map((option) => withLayersOpened(option, openLayer)) : ofFilesystem),
      ]
      const fd = newMount({ type, source: source || type, context, parameters, attributes })
      for (const change of options.propagation)
        mountSetattr(fd, { propagation: change & ~MS_REC, recursive: (change & MS_REC) !== 0 })
      return fd
    } catch (error) {
      throw new SpecError(pointer, `mount ${type} for ${destination}: ${messageOf(error)}`)
    }
  })
}

/**
 * The directories of an overlay's layers as /proc/self/fd/N: opened once, and short, because fsconfig(2) takes at most
 * 255 bytes where mount(2) takes a page. A backslash escapes the colon between two of them.
 */
function withLayersOpened(option: string, openLayer: (path: string) => string): string {
  const [, name, value = ''] = /^(lowerdir|upperdir|workdir)=(.*)$/s.exec(option) ?? []
  if (name === undefined) return option
  const paths = name === 'lowerdir' ? value.split(/(?<!\\):/) : [value]
  return `${name}=${paths.map((path) => (path === '' ? '' : openLayer(path.replace(/\\(.)/gs, '$1')))).join(':')}`
}
