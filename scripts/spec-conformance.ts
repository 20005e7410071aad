/**
 * Writes docs/spec-conformance.md from the tables that decide what is supported: `npm run docs`. A unit test fails when
 * the file is not what would be written.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Decision } from '../packages/core/src/oci/decision.ts'
import { support } from '../packages/core/src/oci/support.ts'
import type { Row } from '../packages/core/src/oci/walk-fields.ts'
import { mountOptionNames } from '../packages/init/src/mount-options.ts'

const path = join(import.meta.dirname, '../docs/spec-conformance.md')

/** The whole document. */
export function specConformance(): string {
  const sections = Object.entries(support as Readonly<Record<string, Row>>).flatMap(([name, row]) =>
    name === 'linux' && row !== 'supported' && 'fields' in row
      ? Object.entries(row.fields).map(([field, inner]): [string, Row] => [`linux.${field}`, inner])
      : [[name, row] as [string, Row]],
  )
  const rows = sections.flatMap(([name, row]) => rowsOf(name, row))
  return `# Conformance with runtime-spec 1.3

Every field of config.json and what is done with it, from \`packages/core/src/oci/support.ts\`, which create, exec and
\`crio-lxc features\` read. Written by \`npm run docs\`; do not edit.

"Refused": an error names the field when it asks for something; an empty value (0, false, "", [], {}) asks for nothing.

| field | |
| --- | --- |
${rows.map(([field, text]) => `| \`${field}\` | ${text} |`).join('\n')}

## Mount options

From \`packages/init/src/mount-options.ts\`; any other goes to the filesystem as data, and is refused on a bind mount.

${wrap(mountOptionNames().map((name) => `\`${name}\``))}
`
}

function rowsOf(path: string, row: Row): [field: string, text: string][] {
  if (row === 'supported' || !('fields' in row || 'each' in row)) return [[path, textOf(row)]]
  const [inner, prefix] = 'fields' in row ? [row.fields, path] : [row.each, `${path}[]`]
  const below = Object.entries(inner).flatMap(([name, field]) => rowsOf(`${prefix}.${name}`, field))
  // Of an object whose fields share one decision one line says it all.
  const texts = new Set(below.map(([, text]) => text))
  return texts.size === 1 && below.length > 1 && below.length === Object.keys(inner).length
    ? [[`${prefix}.{${Object.keys(inner).join(', ')}}`, below[0]?.[1] ?? '']]
    : below
}

function textOf(row: Exclude<Row, { fields: unknown } | { each: unknown }>): string {
  if (row === 'supported') return 'yes'
  if ('values' in row) return valuesText(row.values)
  if ('needs' in row) return `yes, where the host has ${row.needs}; elsewhere refused`
  return 'ignored' in row ? `ignored (${row.ignored})` : `refused: ${row.unsupported}`
}

function valuesText(values: Readonly<Record<string, Decision>>): string {
  const of = (done: boolean): string[] =>
    Object.entries(values).flatMap(([value, decision]) => ((decision === 'supported') === done ? [`\`${value}\``] : []))
  const refused = of(false)
  return refused.length === 0 ? 'yes, every value' : `yes: ${of(true).join(', ')}; refused: ${refused.join(', ')}`
}

function wrap(words: readonly string[]): string {
  const lines = ['']
  for (const word of words) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length > 120) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, specConformance())
