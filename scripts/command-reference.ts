/** Writes docs/commands.md from the tables of commands: `npm run docs`. A unit test fails when the file is not what would be written. */
import '@crio-lxc/core/sys/node-engine'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands } from '../packages/runtime-cli/src/cli.ts'
import type { Command } from '../packages/runtime-cli/src/command-line/command.ts'
import type { Option } from '../packages/runtime-cli/src/command-line/option.ts'

const path = join(import.meta.dirname, '../docs/commands.md')

/** The whole document. */
export async function commandReference(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map(async (load) => (await load()).default))
  return `# Commands

Every verb with its options, as \`crio-lxc VERB --help\` and \`man crio-lxc\` have them. Global options go before the verb
([configuration.md](configuration.md)). From \`packages/runtime-cli/src/commands\`; written by \`npm run docs\`, do not edit.

${all.map(section).join('\n')}`
}

function section({ command, describe, options, examples }: Command): string {
  const rows = Object.entries(options).map(row)
  const table = rows.length === 0 ? '' : `| option | |\n| --- | --- |\n${rows.join('')}\n`
  const lines = examples.map(([line, what]) => `    crio-lxc ${line}  # ${what}\n`)
  return `## ${command.replace(/ [<[].*/, '')}

\`crio-lxc ${command}\`: ${cell(describe)}.

${table}${lines.join('')}`
}

function row([name, { type, alias, value, describe, choices, default: standard }]: [string, Option]): string {
  const short = alias === undefined ? '' : `\`-${alias}\`, `
  const argument = type === 'boolean' ? '' : ` ${value ?? 'WORD'}`
  const facts = [choices?.map((choice) => `\`${choice}\``).join(', '), standard && `default \`${standard}\``].filter(
    Boolean,
  )
  const more = `${facts.length === 0 ? '' : `: ${facts.join('; ')}`}${type === 'list' ? '; may be repeated' : ''}`
  return `| ${short}\`${cell(`--${name}${argument}`)}\` | ${cell(describe)}${more} |\n`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

if (process.argv[1] === import.meta.filename) writeFileSync(path, await commandReference())
