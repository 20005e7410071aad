/** Device nodes of a container in a user namespace, and the one that masks its files. */
import { MS_PRIVATE, O_PATH } from '@crio-lxc/core/abi/constants'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { Device } from '@crio-lxc/core/oci/linux'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { StagedMount } from '@crio-lxc/core/plan/staged-mount'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { openFile } from '@crio-lxc/core/sys/files'
import { devicesOf } from '@crio-lxc/init/steps/devices'
import { makeDeviceNodes } from './device-nodes.ts'
import type { Sources } from './plan/open-sources.ts'

/** What masks files. */
const mask: Device = { type: 'c', path: '/dev/null', major: 1, minor: 3 }

interface Nodes {
  readonly spec: Spec
  readonly ids: IdMappings
  readonly fds: FdScope
}

/** `sources` with what root of a user namespace cannot make. */
export function withNodes(sources: Sources, { spec, ids, fds }: Nodes): Sources {
  const nodes = nodesOf(spec)
  if (nodes.length === 0) return sources
  const of = sources.staged.length
  const tree = { fd: fds.keep(makeDeviceNodes(nodes, ids)), directory: true, propagation: [MS_PRIVATE] }
  const devices = new Map<string, number>()
  let nullDevice: number | undefined
  const files = nodes.map((node, index): StagedMount => {
    // Only the number is needed: the container plan puts the node in its place.
    const fd = fds.keep(openFile('/', O_PATH))
    if (node === mask) nullDevice = fd
    else devices.set(node.path, fd)
    return { fd, directory: false, propagation: [MS_PRIVATE], file: { of, name: String(index) } }
  })
  return { ...sources, devices, nullDevice, staged: [...sources.staged, tree, ...files] }
}

/** The nodes that root of a user namespace cannot make. */
function nodesOf({ linux, mounts = [] }: Spec): Device[] {
  const devices = devicesOf(linux?.devices ?? [], mounts)?.devices.filter(({ type }) => type !== 'p') ?? []
  return linux?.maskedPaths?.length ? [mask, ...devices] : devices
}
