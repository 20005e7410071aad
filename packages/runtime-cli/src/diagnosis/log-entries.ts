/** Lines of the operators' log, which anything may have written. PURE. */
import { printable } from '@crio-lxc/core/errors/printable'

export interface LogEntry {
  /** As it is in the file. */
  readonly line: string
  readonly level: string
  readonly time: string
  readonly cid: string
  readonly command: string
  readonly message: string
  /** How a failed verb ended, which its message does not say: `exit code 1, 12.5 ms`. */
  readonly end?: string
}

export function parseEntries(text: string): LogEntry[] {
  return text.split('\n').flatMap((line) => parseEntry(line) ?? [])
}

/** undefined for what is no line of ours. */
function parseEntry(line: string): LogEntry | undefined {
  const record = parseObject(line)
  if (record === undefined || typeof record['m'] !== 'string') return undefined
  const text = (name: string): string => (typeof record[name] === 'string' ? (record[name] as string) : '')
  const entry = { line, level: text('l'), time: text('t'), cid: text('cid'), command: text('cmd'), message: text('m') }
  const { ms, code } = record
  const failed = entry.level === 'error' && typeof ms === 'number' && typeof code === 'number'
  return failed ? { ...entry, end: `exit code ${code}, ${ms} ms` } : entry
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const colours: Readonly<Record<string, string>> = { error: '\x1b[1;31m', warn: '\x1b[33m', debug: '\x1b[2m' }
const PLAIN = '\x1b[0m'

export interface LogStyle {
  readonly coloured: boolean
  /** Names the container of each. */
  readonly withId: boolean
}

/** One line each; further lines of a message, such as those of liblxc's own log, below it. */
export function logText(entries: readonly LogEntry[], { coloured, withId }: LogStyle): string {
  return entries
    .map(({ level, time, cid, command, message, end }) => {
      const head = [readableTime(time), level.padEnd(5), ...(withId ? [cid || '-'] : []), command.padEnd(6)]
      const text = `${message.trimEnd()}${end === undefined ? '' : ` (${end})`}`
      const words = printable(`${head.join(' ').replaceAll('\n', ' ')} ${text.replaceAll('\n', '\n    ')}`)
      const colour = coloured ? colours[level] : undefined
      return `${colour === undefined ? words : `${colour}${words}${PLAIN}`}\n`
    })
    .join('')
}

/** The default layout, 20060102150405.000, is written for programs. */
function readableTime(time: string): string {
  return time.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?$/, '$1-$2-$3 $4:$5:$6$7')
}
