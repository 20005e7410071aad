/** `--log journald:NAME` and `--log syslog:NAME`, as crun has them: a datagram for each line. */
import { decode, encode, Struct } from '../../abi/bytes.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { reasonOf } from '../../errors/system-error.ts'
import { close, type Fd, write } from '../../sys/fd.ts'
import { ownPid } from '../../sys/program.ts'
import { connectDatagram } from '../../sys/unix-socket.ts'
import { descriptors } from './log-file.ts'
import type { Level, LogFields, Sink } from './sink.ts'

export type Protocol = 'journald' | 'syslog'

const sockets: Readonly<Record<Protocol, string>> = {
  journald: '/run/systemd/journal/socket',
  syslog: '/dev/log',
}
/** A reader that is stuck holds up no container. */
const TIMEOUT_MS = 100
/** Less than what a datagram takes by default (net.core.wmem_max). */
const MAX_MESSAGE = 65_536
const NAME = 'crio-lxc'

/** syslog(3). */
const severities: Readonly<Record<Level, number>> = { error: 3, warn: 4, info: 6, debug: 7 }
const LOG_USER = 1 << 3

/** `name` is what the lines are found by. Throws RuntimeError when nobody has the socket. */
export function openSocketSink(protocol: Protocol, name: string, least: Level, path = sockets[protocol]): Sink {
  const fd = connect(protocol, path)
  descriptors.add(fd)
  const toDatagram = protocol === 'journald' ? journalEntry : syslogLine
  return {
    least,
    // Operators read it, as they do the log file.
    verbLevel: 'info',
    write(level, message, fields) {
      try {
        write(fd, toDatagram(level, message.slice(0, MAX_MESSAGE), { name: name || NAME, ...fields }))
      } catch {
        // A reader that is gone or has no room must not break a command that works.
      }
    },
    close() {
      descriptors.delete(fd)
      close(fd)
    },
  }
}

function connect(protocol: Protocol, path: string): Fd {
  try {
    return connectDatagram(path, { timeoutMs: TIMEOUT_MS })
  } catch (cause) {
    const problem = `open --log ${protocol}: connect to ${path}: ${reasonOf(cause)}`
    throw new RuntimeError('io', `${problem}: start the daemon that has the socket, or name a file`, { cause })
  }
}

/** A line with the name that it is found by. */
type Fields = LogFields & { readonly name: string }

/** The native protocol of the journal; systemd.journal-fields(7). `ID` is crun's. */
export function journalEntry(level: Level, message: string, { name, c, cid, cmd, ms, code }: Fields): string {
  const fields = {
    MESSAGE: message,
    PRIORITY: severities[level],
    SYSLOG_IDENTIFIER: name,
    ID: cid,
    CRIO_LXC_COMMAND: cmd,
    CRIO_LXC_COMPONENT: c,
    CRIO_LXC_MS: ms,
    CRIO_LXC_EXIT_CODE: code,
  }
  return Object.entries(fields)
    .map(([field, value]) => (value === undefined ? '' : journalField(field, String(value))))
    .join('')
}

/** A value with a line feed has its length, 64 bits, in the place of the `=`; a text holds any bytes (abi/bytes.ts). */
function journalField(name: string, value: string): string {
  if (!value.includes('\n')) return `${name}=${value}\n`
  return `${name}\n${decode(new Struct(8).set64(0, encode(value).length))}${value}\n`
}

/** Without a time, which every reader adds: the local one that RFC 3164 wants is not known here. */
export function syslogLine(level: Level, message: string, { name, cid }: Fields): string {
  const container = cid === undefined ? '' : `${cid}: `
  const line = message.replaceAll('\n', ' ')
  return `<${LOG_USER | severities[level]}>${name}[${ownPid()}]: ${container}${line}`
}
