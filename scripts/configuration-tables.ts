/**
 * Writes the tables of docs/configuration.md from the table of global options: `npm run docs`. A unit test fails when the
 * document is not what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { globalOptions } from '../packages/runtime-cli/src/command-line/global-options.ts'
import type { Option } from '../packages/runtime-cli/src/command-line/option.ts'

const path = join(import.meta.dirname, '../docs/configuration.md')

/** The document with the tables between their marks. */
export function withTables(document: string): string {
  const options = Object.entries<Option>(globalOptions)
  const tables = {
    variables: options.filter(([, { env }]) => env !== undefined).map(rowWithVariable),
    flags: options.filter(([, { env }]) => env === undefined).map(rowOfFlag),
  }
  return Object.entries(tables).reduce(
    (text, [name, rows]) =>
      text.replace(
        new RegExp(`(<!-- ${name}: begin -->\n(?:[^\n]*\n){2}).*?(<!-- ${name}: end -->)`, 's'),
        (_, head: string, end: string) => `${head}${rows.join('')}${end}`,
      ),
    document,
  )
}

function rowWithVariable([name, option]: [string, Option]): string {
  const { env, default: value } = option
  return `| \`${env}\` | ${flag(name, option)} | ${value === undefined ? '' : `\`${value}\``} | ${meaning(option)} |\n`
}

function rowOfFlag([name, option]: [string, Option]): string {
  return `| ${flag(name, option)} | ${meaning(option)} |\n`
}

function flag(name: string, { type, alias, value }: Option): string {
  const short = alias === undefined ? '' : `\`-${alias}\`, `
  const word = type === 'boolean' ? '' : ` ${value ?? 'WORD'}`
  return `${short}\`--${name}${word.replaceAll('|', '\\|')}\``
}

function meaning({ describe, choices }: Option): string {
  return `${describe}${choices === undefined ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`}`
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, withTables(readFileSync(path, 'utf8')))
