/** The table of docs/security-comparison.md. */
import type { Attack, Verdict } from './attack.ts'

/** What came of each attack, by its name; `runc` is Debian 12's 1.1.5, and Debian 13's 1.1.15 is named where it differs. */
export type Verdicts = Record<string, { 'crio-lxc'?: Verdict; runc?: Verdict; 'runc 1.1.15'?: Verdict }>

const words: Readonly<Record<Verdict, string>> = {
  refused: 'refused',
  contained: 'harmless',
  'host changed': '**changes the host**',
  'host read': '**reads the host**',
  hangs: '**hangs**',
  fooled: '**deceived**',
}

/** One row for attacks that differ in the way alone and end alike. */
export function comparisonTable(attacks: readonly Attack[], verdicts: Verdicts): string {
  const rows = new Map<string, string[]>()
  for (const { name, lesson } of attacks) {
    const [, what = name, way] = /^(.*?)(?: \((.*)\))?$/.exec(name) ?? []
    const cell = (column: 'crio-lxc' | 'runc'): string => words[verdicts[name]?.[column] ?? 'hangs']
    const end = `| ${lesson} | ${cell('crio-lxc')} | ${cell('runc')} |`
    const key = JSON.stringify([what, end])
    rows.set(key, [...(rows.get(key) ?? []), ...(way === undefined ? [] : [way])])
  }
  const lines = [...rows].map(([key, ways]) => {
    const [what, end] = JSON.parse(key) as [string, string]
    return `| ${what}${ways.length > 0 ? ` (${ways.join(', ')})` : ''} ${end}`
  })
  return ['| attack | lesson | crio-lxc | runc 1.1.5 |', '| --- | --- | --- | --- |', ...lines].join('\n')
}
