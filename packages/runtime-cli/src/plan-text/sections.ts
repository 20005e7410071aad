/** A plan for people: lines, or a table, below titles. PURE. */
import { diffLines } from './diff-lines.ts'

/** Without lines it is left out. */
export interface Section {
  readonly title: string
  readonly lines: readonly string[] | Table
}

export class Table {
  constructor(readonly rows: readonly (readonly string[])[]) {}
}

const GAP = '  '

export function sectionText(sections: readonly Section[]): string {
  return sections
    .map(({ title, lines }) => ({ title, lines: lines instanceof Table ? aligned(lines.rows) : lines }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => `# ${title}\n${lines.map(oneLine).join('\n')}\n`)
    .join('\n')
}

/** No name of the document begins a line of its own. */
function oneLine(line: string): string {
  return line.replaceAll('\n', '\\n')
}

/** What differs of two plans, section by section; empty when nothing does. */
export function sectionDiff(before: readonly Section[], after: readonly Section[], context: number): string {
  const titles = [...new Set([...before, ...after].map(({ title }) => title))]
  return titles
    .map((title) => ({ title, lines: diffLines(linesOf(before, title), linesOf(after, title), context) }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => `# ${title}\n${lines.map(oneLine).join('\n')}\n`)
    .join('\n')
}

/** A row says the same whatever the others are. */
function linesOf(sections: readonly Section[], title: string): readonly string[] {
  return sections
    .filter((section) => section.title === title)
    .flatMap(({ lines }) => (lines instanceof Table ? lines.rows.map((row) => row.join(GAP)) : lines))
}

/** Code points are what a column counts; the last cell ends where it ends. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, [...cell].length)
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join(GAP)
      .trimEnd(),
  )
}
