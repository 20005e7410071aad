import { monotonicMs, ownPid, startedAt } from '../../sys/program.ts'
import { openLogFile } from './log-file.ts'
import type { Sink, Span } from './sink.ts'

/**
 * `--trace`: spans in Chrome's trace event format, an array of JSON that need not end, with one event a line, so that several
 * processes and verbs append to one file. Perfetto and chrome://tracing draw it. Times are those of CLOCK_MONOTONIC.
 */
export function openTraceSink(path: string, command = 'crio-lxc'): Sink {
  const file = openLogFile(path, '--trace')
  if (file.isEmpty()) file.append('[\n')
  const pid = ownPid()
  const named = new Set<number>()
  const write = (span: Span): void => {
    const { pid: of, name } = span.process ?? { pid, name: `crio-lxc ${command}` }
    if (!named.has(of)) file.append(line(processName(of, name)))
    named.add(of)
    file.append(line(complete(of, span)))
  }
  write({ name: 'engine', component: 'cli', from: startedAt, to: monotonicMs(), message: 'the engine and the options' })
  return { least: 'never', write: () => undefined, span: write, close: file.close }
}

const line = (event: object): string => `${JSON.stringify(event)},\n`

/** An event of type X; microseconds. */
function complete(pid: number, { name, component, from, to, message }: Span): object {
  const [ts, end] = [from, to].map((ms) => Math.round(ms * 1000)) as [number, number]
  return { name, cat: component, ph: 'X', pid, tid: pid, ts, dur: end - ts, ...(message && { args: { message } }) }
}

function processName(pid: number, name: string): object {
  return { name: 'process_name', ph: 'M', pid, tid: pid, args: { name } }
}
