/** Three views of one container, side by side. PURE. */
import { printable } from '@crio-lxc/core/errors/printable'

/** What one view says, by the name of the row. */
export type Facts = Readonly<Record<string, Fact>>
type Fact = string | readonly string[] | undefined

export interface Inspection {
  readonly id: string
  readonly status: string
  readonly pid: number
  readonly bundle: string
  readonly created: string
  /** By config.json as it was at create; empty when that cannot be read. */
  readonly asked: Facts
  /** By what create has recorded. */
  readonly planned: Facts
  /** By the kernel, now; empty without a process. */
  readonly is: Facts
}

/** The cells of the table, header first, without rows that nobody says anything about. */
export function inspectionRows({ asked, planned, is }: Inspection): string[][] {
  const names = [...new Set([asked, planned, is].flatMap((facts) => Object.keys(facts)))]
  const rows = names
    .filter((name) => [asked, planned, is].some((facts) => !isEmpty(facts[name])))
    .map((name) => [name, cell(asked[name]), cell(planned[name]), cell(is[name], asked[name])])
  return [['', 'ASKED', 'PLANNED', 'IS'], ...rows]
}

function isEmpty(fact: Fact): boolean {
  return fact === undefined || fact.length === 0
}

/** What fits beside two others; a longer list is counted, with what differs from what was asked. */
const WIDE = 36

function cell(fact: Fact, asked?: Fact): string {
  if (isEmpty(fact)) return '-'
  if (typeof fact === 'string') return short(fact)
  const list = fact as readonly string[]
  const text = list.join(' ')
  if (text.length <= WIDE || !text.startsWith('CAP_')) return short(text)
  const wanted = Array.isArray(asked) ? (asked as readonly string[]) : list
  const lacks = wanted.filter((name) => !list.includes(name)).map((name) => `-${name}`)
  const more = list.filter((name) => !wanted.includes(name)).map((name) => `+${name}`)
  return [`${list.length}`, ...lacks, ...more].join(' ')
}

function short(text: string): string {
  const characters = [...printable(text)]
  return characters.length <= WIDE ? characters.join('') : `${characters.slice(0, WIDE - 3).join('')}...`
}
