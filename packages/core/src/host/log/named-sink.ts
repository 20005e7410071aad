import { openRuncSink } from './runc-sink.ts'
import type { Level, Sink } from './sink.ts'
import { openSocketSink, type Protocol } from './socket-sink.ts'

interface Lines {
  readonly format: 'text' | 'json'
  readonly least: Level
}

/** Where `--log` leads when it is no absolute path: crun's `journald:NAME`, `syslog:NAME` and `file:PATH`, or a file beside us. */
export function openNamedSink(log: string, { format, least }: Lines): Sink {
  const [, backend, name = ''] = /^(file|journald|syslog):(.*)$/s.exec(log) ?? []
  if (backend === undefined) return openRuncSink(log, format, least)
  return backend === 'file' ? openRuncSink(name, format, least) : openSocketSink(backend as Protocol, name, least)
}
