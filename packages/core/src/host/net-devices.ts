/** The runtime's network devices that a container gets, as they are before they move. */

import { errnoSentence } from '../abi/errno.ts'
import { RuntimeError, SpecError } from '../errors/runtime-error.ts'
import { fieldOf } from '../oci/field-path.ts'
import type { NetDevice } from '../oci/linux.ts'
import {
  type Attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_PERMANENT,
  IFA_FLAGS,
  IFA_LOCAL,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  RT_SCOPE_UNIVERSE,
  RTM_GETADDR,
  RTM_NEWADDR,
} from '../plan/netlink.ts'
import { type Fd, read, write } from '../sys/fd.ts'
import type { FdScope } from '../sys/fd-scope.ts'
import { interfaceIndex, netlinkRoute } from '../sys/socket.ts'

/** An address of a device; moving the device takes it away. */
export interface NetAddress {
  /** AF_INET or AF_INET6. */
  readonly family: number
  readonly prefixLength: number
  /** IFA_ADDRESS, IFA_LOCAL and IFA_BROADCAST as the kernel gave them. */
  readonly attributes: readonly Attribute[]
}

export interface HostNetDevice {
  readonly name: string
  /** In the container. */
  readonly target: string
  readonly index: number
  /** The permanent ones of global scope: what else it has belongs to the network it leaves. */
  readonly addresses: readonly NetAddress[]
}

export interface HostNetDevices {
  readonly devices: readonly HostNetDevice[]
  /** A NETLINK_ROUTE socket in the runtime's network namespace. */
  readonly socket: Fd
}

/** Undefined without devices. Throws a SpecError for one that the runtime's network namespace has not. */
export function openNetDevices(
  netDevices: Readonly<Record<string, NetDevice>> | undefined,
  fds: FdScope,
): HostNetDevices | undefined {
  const entries = Object.entries(netDevices ?? {})
  if (entries.length === 0) return undefined
  const socket = fds.keep(netlinkRoute())
  const addresses = dumpAddresses(socket)
  const devices = entries.map(([name, { name: target }]): HostNetDevice => {
    const index = interfaceIndex(name)
    if (index === undefined)
      throw new SpecError(fieldOf('linux.netDevices', name), 'no such network device in the namespace of the runtime')
    return { name, target: target || name, index, addresses: addresses.get(index) ?? [] }
  })
  return { devices, socket }
}

/** Addresses by the index of their device. */
function dumpAddresses(socket: number): Map<number, NetAddress[]> {
  const request = { type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP, head: new Uint8Array(8), attributes: [] }
  write(socket, encodeMessage(request))
  const found = new Map<number, NetAddress[]>()
  for (;;) {
    const buffer = new Uint8Array(65536)
    const length = read(socket, buffer)
    for (const { type, body } of decodeMessages(buffer.subarray(0, length))) {
      if (type === NLMSG_DONE) return found
      if (type === NLMSG_ERROR)
        throw new RuntimeError('io', `list the addresses of network devices: ${errnoSentence(-body.getInt32(0, true))}`)
      if (type === RTM_NEWADDR) addAddress(found, body)
    }
  }
}

/** struct ifaddrmsg: family, prefix length, flags, scope, index; its flags are the lower ones of IFA_FLAGS. */
function addAddress(found: Map<number, NetAddress[]>, body: DataView): void {
  const attributes = decodeAttributes(body, 8)
  const wide = attributes.get(IFA_FLAGS)
  const flags = wide ? new DataView(wide.buffer, wide.byteOffset).getUint32(0, true) : body.getUint8(2)
  if (!(flags & IFA_F_PERMANENT) || body.getUint8(3) !== RT_SCOPE_UNIVERSE) return
  const index = body.getUint32(4, true)
  const address = {
    family: body.getUint8(0),
    prefixLength: body.getUint8(1),
    attributes: [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST].flatMap((type) => {
      const value = attributes.get(type)
      return value ? [{ type, value }] : []
    }),
  }
  found.set(index, [...(found.get(index) ?? []), address])
}
