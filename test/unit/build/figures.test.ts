/** Figures in the documents: those that were measured agree with one another, and limits are those of the sources. */
import { describe, expect, it, test } from 'vitest'
import { documents, textOf } from '../../support/documents.ts'

const performance = textOf('docs/performance.md')

interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function tablesOf(text: string): Table[] {
  return [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) => {
    const [head = [], , ...rows] = table
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
    return { head, rows }
  })
}

const sections = [...performance.matchAll(/<!-- (bench[\w-]*): begin -->\n(.*?)<!-- \1: end -->/gs)].map(
  ([, name = '', text = '']) => ({ name, text }),
)

describe.each(sections)('docs/performance.md, $name', ({ text }) => {
  it('says where, when and of what it was measured', () => {
    expect(text).toMatch(/^Measured on \d{4}-\d\d-\d\d: .*Linux .*crio-lxc version \d/)
  })

  it('has the ratios of its columns', () => {
    const wrong = tablesOf(text).flatMap(({ head, rows }) =>
      head.flatMap((title, at) => {
        const [left = '', right = ''] = title.split(' / ')
        const [over, under] = [head.indexOf(left), head.indexOf(right)]
        if (right === '' || over < 0 || under < 0) return []
        return rows.filter((row) => !isRatio(row, [over, under, at])).map((row) => `${title}: ${row.join(' ')}`)
      }),
    )
    expect(wrong).toEqual([])
  })
})

/** The columns are rounded to 0.1, the ratio, which is of what was measured, to 0.01. */
function isRatio(row: readonly string[], [over, under, at]: readonly [number, number, number]): boolean {
  const [a, b, ratio] = [over, under, at].map((column) => Number(row[column])) as [number, number, number]
  return ratio >= (a - 0.05) / (b + 0.05) - 0.006 && ratio <= (a + 0.05) / (b - 0.05) + 0.006
}

test('docs/performance.md has sections, and no measured table outside of them', () => {
  expect(sections.length).toBeGreaterThan(6)
  const outside = sections.reduce((text, section) => text.replace(section.text, ''), performance)
  expect(
    tablesOf(outside).filter(({ rows }) => rows.some((row) => row.some((cell) => /^[\d.,]+$/.test(cell)))),
  ).toEqual([])
})

test('docs/reliability.md adds up', () => {
  const reliability = textOf('docs/reliability.md')
  const rows = tablesOf(reliability).find(({ head }) => head.includes('survived'))?.rows ?? []
  const sum = (column: number): string => rows.reduce((all, row) => all + Number(row[column]), 0).toLocaleString('en')
  expect(rows.length).toBeGreaterThan(10)
  expect(reliability).toContain(`All ${sum(2)} faults`)
  expect(reliability).toContain(`\`npm test\` makes ${sum(3)} of them`)
  expect(sum(4)).toBe(sum(2))
})

/** Where a figure of a document is decided. */
const decided = [
  ['docs/architecture.md', '128 kB', 'packages/core/src/seccomp/cache-entry.ts', 'MAX_ENTRY_BYTES = 1 << 17'],
  [
    'docs/cri-o.md',
    'CRIO_LXC_CREATE_TIMEOUT, 60 s',
    'docs/configuration.md',
    '| `CRIO_LXC_CREATE_TIMEOUT` | `--create-timeout DURATION` | `60s` |',
  ],
  ['docs/library.md', '15 s', 'packages/runtime-cli/src/library/thread.ts', 'UNDO_MS = 15_000'],
  ['docs/mounts.md', '1 KiB', 'packages/runtime-cli/src/sources/copy-budget.ts', 'ENTRY_BYTES = 1024'],
  ['docs/operating.md', '100 ms', 'packages/core/src/host/log/socket-sink.ts', 'TIMEOUT_MS = 100\n'],
  ['docs/performance.md', '8 MB', 'test/integration/engine/peak-memory.own.test.ts', '8 * MB'],
  ['docs/performance.md', '4 MB', 'test/integration/engine/peak-memory.own.test.ts', '4 * MB'],
  ['docs/security.md', '16 MiB', 'packages/core/src/oci/parse-spec.ts', 'MAX_SPEC_BYTES = 16 * 1024 * 1024'],
  ['docs/security.md', '256 MB', 'packages/core/engine/engine.c', '#define MEMORY_LIMIT (256ul << 20)'],
  ['docs/security.md', '4 MB', 'packages/core/engine/engine.c', '#define STACK_LIMIT (4ul << 20)'],
  ['docs/security.md', '64 levels', 'packages/core/src/oci/json.ts', 'MAX_JSON_DEPTH = 64\n'],
] as const

test.each(decided)('%s: %s is what %s says', (document, figure, source, text) => {
  expect(textOf(document).includes(figure), figure).toBe(true)
  expect(textOf(source).includes(text), text).toBe(true)
})

/** Measured once, with the day or the decision that they belong to, or generated. */
const mayMeasure =
  /^(CHANGELOG|docs\/(performance|security-comparison|reliability|library-reference|commands|adr\/|notes\/))/

test.each(documents().filter((name) => !mayMeasure.test(name)))('%s has no figure that nobody looks after', (name) => {
  const figures = textOf(name).match(/(?<![\d.,])\d[\d.,]* (?:ms|kB|KiB|MB|MiB)\b/g) ?? []
  const known = new Set<string>(decided.filter(([document]) => document === name).map(([, figure]) => figure))
  expect(figures.filter((figure) => !known.has(figure) && !isShownOutput(name, figure))).toEqual([])
})

/** What console blocks show is compared when they are run. */
function isShownOutput(name: string, figure: string): boolean {
  const blocks = [...textOf(name).matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return blocks.some((block) => block.includes(figure))
}
