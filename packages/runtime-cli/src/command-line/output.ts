/** What this process prints. Only fs.write: the engine's streams cost more than the rest of `state`. */

import { printable } from '@crio-lxc/core/errors/printable'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import type { Level, Sink } from '@crio-lxc/core/host/log/sink'
import type { State } from '@crio-lxc/core/oci/state'
import { writeAll } from '@crio-lxc/core/sys/fd'

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

/** As Go's text/tabwriter with minwidth 12, padding 3 and blanks does it; the last column is not padded. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(cellOf))
  const widths = rows.reduce<number[]>(
    (widths, row) => row.map(({ length }, column) => Math.max(widths[column] ?? 12, length + 3)),
    [],
  )
  const line = (row: readonly Cell[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell.text : pad(cell, widths[column] ?? 0))).join('')
  return rows.map((row) => `${line(row)}\n`).join('')
}

interface Cell {
  readonly text: string
  /** In code points, as tabwriter counts. */
  readonly length: number
}

function cellOf(given: string): Cell {
  if (/^[\x20-\x7e]*$/.test(given)) return { text: given, length: given.length }
  const text = printable(given).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return { text, length: [...text].length }
}

function pad({ text, length }: Cell, width: number): string {
  return text + ' '.repeat(width - length)
}

/** A reader that is gone is no failure of ours; a full non-blocking pipe is waited for. */
function writeFully(fd: number, text: string): void {
  try {
    writeAll(fd, text)
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'EPIPE' && code !== 'EBADF') throw error
  }
}
