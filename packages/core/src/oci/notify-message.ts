/** The protocol of sd_notify(3): lines of NAME=VALUE in one datagram. */

/** What the service manager takes at most, bytes. */
export const NOTIFY_MESSAGE_MAX = 4096

/**
 * What the service manager is told for a datagram of the container: undefined unless one of its lines is READY=1. Only a
 * status goes with it, and only one that cannot steer a terminal: MAINPID, FDSTORE and their kin are the runtime's to say.
 * `mainPid` is added when it is given.
 */
export function readyMessage(datagram: Buffer, mainPid: number | undefined): string | undefined {
  if (datagram.length > NOTIFY_MESSAGE_MAX) return undefined
  const lines = datagram.toString('utf8').split('\n')
  if (!lines.includes('READY=1')) return undefined
  const status = lines.findLast((line) => /^STATUS=\P{Cc}*$/u.test(line))
  return [
    ...(status === undefined ? [] : [status]),
    'READY=1',
    ...(mainPid === undefined ? [] : [`MAINPID=${mainPid}`]),
  ].join('\n')
}
