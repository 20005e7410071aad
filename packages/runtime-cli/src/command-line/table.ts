import { printable } from '@crio-lxc/core/errors/printable'

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
