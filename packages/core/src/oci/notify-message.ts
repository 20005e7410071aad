/** The protocol of sd_notify(3): lines of NAME=VALUE in one datagram. */
import { decode, encode } from '../abi/bytes.ts'
import { UNPRINTABLE } from '../errors/printable.ts'

const unprintable = new RegExp(UNPRINTABLE, 'u')

/** What the service manager takes at most, bytes. */
export const NOTIFY_MESSAGE_MAX = 4096

/**
 * What the service manager is told for a datagram of the container: undefined unless one of its lines is READY=1. Only a
 * status goes with it, and only one that cannot steer a terminal and leaves room for the rest: MAINPID, FDSTORE and their
 * kin are the runtime's to say.
 * `mainPid` is added when it is given.
 */
export function readyMessage(datagram: Uint8Array, mainPid: number | undefined): string | undefined {
  if (datagram.length > NOTIFY_MESSAGE_MAX) return undefined
  const lines = decode(datagram).split('\n')
  if (!lines.includes('READY=1')) return undefined
  const ready = ['READY=1', ...(mainPid === undefined ? [] : [`MAINPID=${mainPid}`])].join('\n')
  const status = lines.findLast((line) => line.startsWith('STATUS=') && !unprintable.test(line))
  if (status === undefined) return ready
  // The line about the main process is new.
  const message = `${status}\n${ready}`
  return encode(message).length > NOTIFY_MESSAGE_MAX ? ready : message
}
