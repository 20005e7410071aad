/**
 * Steps that fetch linux.netDevices into the container's network namespace: the device moves and is renamed in one
 * request, so that its name need not be free on the way; then it gets back the addresses that the move took, and is up.
 */
import { encode } from '@crio-lxc/core/abi/bytes'
import { AF_NETLINK, IFF_UP, NETLINK_ROUTE, SIOCGIFINDEX, SOCK_CLOEXEC, SOCK_RAW } from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import {
  type Attribute,
  encodeMessage,
  IFA_F_PERMANENT,
  IFA_FLAGS,
  IFLA_IFNAME,
  IFLA_NET_NS_PID,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  NLMSG_HEADER,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from '@crio-lxc/core/plan/netlink'
import { type Arg, type Bytes, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'

/** What is known of a device before it moves (core/host/net-devices.ts). */
export interface MovedDevice {
  readonly name: string
  readonly target: string
  readonly index: number
  readonly addresses: readonly {
    readonly family: number
    readonly prefixLength: number
    readonly attributes: readonly Attribute[]
  }[]
}

export interface MovedDevices {
  readonly devices: readonly MovedDevice[]
  /** A NETLINK_ROUTE socket in the network namespace where they are. */
  readonly socket: number
}

export function planNetDevices(plan: Plan, { devices, socket: host }: MovedDevices): void {
  const own = plan.slot('netlink socket')
  const reply = plan.struct(
    1024,
    () => 'reply',
    () => undefined,
  )
  const flags = SOCK_RAW | SOCK_CLOEXEC
  plan.step('open a netlink socket in the container', 'socket', [AF_NETLINK, flags, NETLINK_ROUTE], { result: own })
  for (const { target } of devices) planNameIsFree(plan, target, own)
  for (const device of devices) planMove(plan, device, { host, reply })
  plan.step('close the netlink socket of the host', 'close', [host])
  for (const device of devices) planConfigure(plan, device, { own, reply })
  plan.step('close the netlink socket', 'close', [own])
}

/** The kernel renames last: a device whose name is taken would have moved, and be lost with the namespace. */
function planNameIsFree(plan: Plan, target: string, own: Slot): void {
  const what = `see that ${target} is free for linux.netDevices`
  const free = new Label()
  plan.step(what, 'ioctl', [own, SIOCGIFINDEX, nameRequest(plan, target)], { ignore: ['ENODEV'], onIgnored: free })
  const taken = `linux.netDevices: the container has a network device ${target} already: choose another name`
  plan.step(taken, 'fail', [errnoTable.EEXIST[0]])
  plan.place(free)
}

function planMove(
  plan: Plan,
  { name, target, index }: MovedDevice,
  { host, reply }: { host: Arg; reply: Bytes },
): void {
  const what = `move ${name} to ${target} for linux.netDevices`
  // The pid last: eight bytes are stored for it, and the upper four are behind the message.
  const attributes = [text(IFLA_IFNAME, target), { type: IFLA_NET_NS_PID, value: new Uint8Array(4) }]
  const bytes = encodeMessage({
    type: RTM_NEWLINK,
    flags: NLM_F_REQUEST | NLM_F_ACK,
    head: link({ index }),
    attributes,
  })
  const padded = new Uint8Array(bytes.length + 4)
  padded.set(bytes)
  const message = plan.blob(padded, () => `{RTM_NEWLINK, index=${index}, name=${target}, namespace of the own pid}`)
  plan.step(`${what}: find the own pid`, 'getpid', [], { result: plan.wordAt(message, bytes.length - 4) })
  planRequest(plan, what, { socket: host, message, length: bytes.length, reply })
}

function planConfigure(
  plan: Plan,
  { target, addresses }: MovedDevice,
  { own, reply }: { own: Slot; reply: Bytes },
): void {
  if (addresses.length > 0) {
    const request = nameRequest(plan, target)
    const index = plan.wordAt(request, 16)
    plan.step(`find the index of ${target}`, 'ioctl', [own, SIOCGIFINDEX, request])
    addresses.forEach((address, which) => {
      planAddress(plan, `give ${target} its address ${which} for linux.netDevices`, { address, index, own, reply })
    })
  }
  const head = link({ flags: IFF_UP, change: IFF_UP })
  const attributes = [text(IFLA_IFNAME, target)]
  const bytes = encodeMessage({ type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK, head, attributes })
  const message = plan.blob(bytes, () => `{RTM_NEWLINK, name=${target}, IFF_UP}`)
  planRequest(plan, `bring ${target} up for linux.netDevices`, { socket: own, message, length: bytes.length, reply })
}

interface Address {
  readonly address: MovedDevice['addresses'][number]
  readonly index: Slot
  readonly own: Slot
  readonly reply: Bytes
}

/** IFA_FLAGS first, because storing the index as eight bytes takes it, and as a number it can be stored again. */
function planAddress(plan: Plan, what: string, { address, index, own, reply }: Address): void {
  const head = new Uint8Array([address.family, address.prefixLength, 0, 0, 0, 0, 0, 0])
  const flagged = { type: IFA_FLAGS, value: new Uint8Array([IFA_F_PERMANENT, 0, 0, 0]) }
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  const bytes = encodeMessage({ type: RTM_NEWADDR, flags, head, attributes: [flagged, ...address.attributes] })
  const value = address.attributes[0]?.value ?? []
  const message = plan.blob(bytes, () => `{RTM_NEWADDR, ${[...value].join('.')}/${address.prefixLength}}`)
  const flagsWord = 8 + IFA_FLAGS * 2 ** 16 + IFA_F_PERMANENT * 2 ** 32
  plan.step(`${what}: the device`, 'move', [index], { result: plan.wordAt(message, NLMSG_HEADER + 4) })
  plan.step(`${what}: permanent`, 'move', [flagsWord], { result: plan.wordAt(message, NLMSG_HEADER + 8) })
  planRequest(plan, what, { socket: own, message, length: bytes.length, reply })
}

interface Request {
  readonly socket: Arg
  readonly message: Bytes
  readonly length: number
  readonly reply: Bytes
}

/** The kernel answers before write(2) returns; struct nlmsgerr begins with the negative errno, or 0. */
function planRequest(plan: Plan, what: string, { socket, message, length, reply }: Request): void {
  plan.step(`${what}: ask`, 'write', [socket, message, length])
  plan.step(`${what}: read the answer`, 'read', [socket, reply, reply.length])
  plan.step(what, 'status', [plan.wordAt(reply, NLMSG_HEADER)])
}

/** struct ifreq of netdevice(7); the kernel writes its answer behind the name. */
function nameRequest(plan: Plan, name: string): Bytes {
  return plan.struct(
    40,
    () => `{"${name}"}`,
    (view, at) => {
      encode(name).forEach((byte, offset) => {
        view.setUint8(at + offset, byte)
      })
    },
  )
}

/** struct ifinfomsg. */
function link({ index = 0, flags = 0, change = 0 }): Uint8Array {
  const view = new DataView(new ArrayBuffer(16))
  view.setInt32(4, index, true)
  view.setUint32(8, flags, true)
  view.setUint32(12, change, true)
  return new Uint8Array(view.buffer)
}

function text(type: number, value: string): Attribute {
  return { type, value: encode(`${value}\0`) }
}
