/** What this process prints. Only fs.write: the engine's streams cost more than the rest of `state`. */

import { printable } from '@crio-lxc/core/errors/printable'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import type { Level, Sink } from '@crio-lxc/core/host/log/sink'
import type { State } from '@crio-lxc/core/oci/state'
import { writeAll } from '@crio-lxc/core/sys/fd'
import { table } from './table.ts'

/** Writes all of `text`, plain or JSON, to standard output. */
export function writeOut(text: string): void {
  writeFully(1, printable(text))
}

/** The same with what steers a terminal, which is then the writer's own. */
export function writeScreen(text: string): void {
  writeFully(1, text)
}

/** Writes `message` to standard error as exactly one line: conmon and containerd take it for the cause. */
export function writeErrorLine(message: string): void {
  writeFully(2, `${printable(singleLine(message))}\n`)
}

/** Lines for the caller when no log file takes them, as with runc. Errors are left to the one place that prints them. */
export function stderrSink(least: Level): Sink {
  return {
    least,
    write(level, message) {
      if (level !== 'error') writeErrorLine(`${level === 'warn' ? 'warning' : level}: ${message}`)
    },
  }
}

/** `message` with every run of line breaks replaced by a blank. */
export function singleLine(message: string): string {
  return message.trim().replace(/\s*[\r\n]+\s*/g, ' ')
}

/** One line of JSON; a bigint keeps all of its digits. */
export function jsonLine(value: object): string {
  const marked = JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? `\0${member}` : member))
  return `${marked.replace(/"\\u0000(\d+)"/g, '$1')}\n`
}

/** `state`: indented as runc does it. */
export function stateText(state: State): string {
  return `${JSON.stringify(state, null, 2)}\n`
}

/** `features`: indented as runc does it. */
export function featuresText(features: object): string {
  return `${JSON.stringify(features, null, 4)}\n`
}

/** `list`: one array on one line, as runc's encoder writes it. */
export function listJson(states: readonly State[]): string {
  return `${JSON.stringify(states)}\n`
}

/** `list`: runc's table. */
export function listTable(states: readonly State[]): string {
  return table([
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...states.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]),
  ])
}

/** A reader that is gone is no failure of ours; a full non-blocking pipe is waited for. */
function writeFully(fd: number, text: string): void {
  try {
    writeAll(fd, text, () => `write to standard ${fd === 1 ? 'output' : 'error'}`)
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'EPIPE' && code !== 'EBADF') throw error
  }
}
