/** Messages of rtnetlink(7) as bytes, in the byte order of both architectures. */

export const RTM_NEWLINK = 16
export const RTM_NEWADDR = 20
export const RTM_GETADDR = 22
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLM_F_REQUEST = 0x001
export const NLM_F_ACK = 0x004
export const NLM_F_DUMP = 0x300
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400

// Attributes of links and of addresses, linux/if_link.h and linux/if_addr.h.
export const IFLA_IFNAME = 3
export const IFLA_NET_NS_PID = 19
export const IFA_ADDRESS = 1
export const IFA_LOCAL = 2
export const IFA_BROADCAST = 4
export const IFA_FLAGS = 8
export const IFA_F_PERMANENT = 0x80
export const RT_SCOPE_UNIVERSE = 0

/** struct nlmsghdr, bytes. */
export const NLMSG_HEADER = 16
/** struct rtattr, bytes. */
const ATTRIBUTE_HEADER = 4

export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

export interface Message {
  readonly type: number
  readonly flags: number
  /** The structure that the type begins with: struct ifinfomsg, struct ifaddrmsg. */
  readonly head: Uint8Array
  readonly attributes: readonly Attribute[]
}

export function encodeMessage({ type, flags, head, attributes }: Message): Uint8Array {
  const sizes = attributes.map(({ value }) => align(ATTRIBUTE_HEADER + value.length))
  const bytes = new Uint8Array(NLMSG_HEADER + align(head.length) + sizes.reduce((sum, size) => sum + size, 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length, true)
  view.setUint16(4, type, true)
  view.setUint16(6, flags, true)
  bytes.set(head, NLMSG_HEADER)
  let at = NLMSG_HEADER + align(head.length)
  attributes.forEach(({ type, value }, index) => {
    view.setUint16(at, ATTRIBUTE_HEADER + value.length, true)
    view.setUint16(at + 2, type, true)
    bytes.set(value, at + ATTRIBUTE_HEADER)
    at += sizes[index] ?? 0
  })
  return bytes
}

/** One message that the kernel sent, cut out of what was read. */
export interface Received {
  readonly type: number
  /** Behind the header. */
  readonly body: DataView
}

export function decodeMessages(bytes: Uint8Array): Received[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const messages: Received[] = []
  for (let at = 0; at + NLMSG_HEADER <= view.byteLength; ) {
    const length = view.getUint32(at, true)
    if (length < NLMSG_HEADER || at + length > view.byteLength) break
    const body = new DataView(bytes.buffer, bytes.byteOffset + at + NLMSG_HEADER, length - NLMSG_HEADER)
    messages.push({ type: view.getUint16(at + 4, true), body })
    at += align(length)
  }
  return messages
}

/** The attributes of a message's body from `offset` on, by type. */
export function decodeAttributes(body: DataView, offset: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>()
  for (let at = offset; at + ATTRIBUTE_HEADER <= body.byteLength; ) {
    const length = body.getUint16(at, true)
    if (length < ATTRIBUTE_HEADER || at + length > body.byteLength) break
    const value = new Uint8Array(body.buffer, body.byteOffset + at + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER)
    attributes.set(body.getUint16(at + 2, true), value)
    at += align(length)
  }
  return attributes
}

function align(length: number): number {
  return (length + 3) & ~3
}
