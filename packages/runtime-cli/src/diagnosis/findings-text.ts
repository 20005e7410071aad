import { printable } from '@crio-lxc/core/errors/printable'
import type { Finding, Verdict } from './finding.ts'

/** select graphic rendition (console_codes(4)): green, yellow, red. */
const colours: Readonly<Record<Verdict, string>> = { ok: '\x1b[32m', warning: '\x1b[33m', problem: '\x1b[1;31m' }
const PLAIN = '\x1b[0m'

/** A line for each finding, one more for what to do, and the sum at the end. What steers a terminal is ours alone. PURE. */
export function findingsText(findings: readonly Finding[], coloured: boolean): string {
  const width = Math.max(...findings.map(({ name }) => name.length)) + 2
  const paint = (verdict: Verdict, text: string): string => (coloured ? `${colours[verdict]}${text}${PLAIN}` : text)
  const lines = findings.flatMap(({ name, verdict, found, advice }) => [
    `${paint(verdict, verdict.padEnd(9))}${name.padEnd(width)}${oneLine(found)}`,
    ...(advice === undefined ? [] : [`${' '.repeat(9 + width)}-> ${oneLine(advice)}`]),
  ])
  const sum = worst(findings)
  return `${[...lines, paint(sum, summary(findings))].join('\n')}\n`
}

export function worst(findings: readonly Finding[]): Verdict {
  const has = (wanted: Verdict): boolean => findings.some(({ verdict }) => verdict === wanted)
  return has('problem') ? 'problem' : has('warning') ? 'warning' : 'ok'
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Verdict): string => {
    const { length } = findings.filter(({ verdict }) => verdict === wanted)
    return `${length === 0 ? 'no' : length} ${wanted}${length === 1 ? '' : 's'}`
  }
  return `${count('problem')}, ${count('warning')}`
}

/** Of files and programs of the host, which may hold anything. */
function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ')
}
