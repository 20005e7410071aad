import bunyan, { type default as Bunyan } from 'bunyan'
import { printable } from '../../errors/printable.ts'
import { formatGoTime } from './go-time.ts'
import { openLogFile } from './log-file.ts'
import type { LogFields, Sink } from './sink.ts'

/**
 * The seed's log file: JSON lines with l (level), m (message), c (component), cid (container), cmd (command) and t
 * (time by `timestamp`, a layout of Go). bunyan makes the records.
 */
export function openSeedSink(path: string, least: Sink['least'], timestamp = '20060102150405.000'): Sink {
  const file = openLogFile(path, '--log-file')
  const stream = {
    write: (record: unknown) => file.append(seedLine(record as BunyanRecord, timestamp)),
  }
  let logger: Bunyan | undefined
  return {
    least,
    verbLevel: 'info',
    write(level, message, { c = 'crio-lxc', ...fields }) {
      logger ??= bunyan.createLogger({
        name: 'crio-lxc',
        streams: [{ type: 'raw', level: 'trace', stream: stream as unknown as NodeJS.WritableStream }],
      })
      // Under a name of their own, as bunyan has fields such as pid itself; '%s', as it takes a message for a format.
      logger[level]({ fields: { c, ...fields } }, '%s', message)
    },
    close: file.close,
  }
}

/** A record as bunyan hands it to a raw stream. */
export interface BunyanRecord {
  readonly level: number
  readonly msg: string
  readonly time: Date
  readonly fields: LogFields
}

const levelNames = new Map([
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
])

/** One line of the seed's log; other fields of the caller come first and cannot replace the seed's. */
export function seedLine(record: BunyanRecord, timestamp: string): string {
  const { c, cid, cmd, ...more } = record.fields
  const seed = { l: levelNames.get(record.level), m: record.msg, c, cid, cmd, t: formatGoTime(record.time, timestamp) }
  return `${printable(JSON.stringify({ ...more, ...seed }))}\n`
}
