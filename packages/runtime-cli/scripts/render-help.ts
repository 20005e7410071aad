/**
 * Renders the help of the program and of each command, by yargs from the tables of options, into generated/help.ts: yargs
 * takes longer to start than most commands to run.
 */
import '@crio-lxc/core/sys/node-engine'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import yargs, { type Argv } from 'yargs'
import { commands } from '../src/cli.ts'
import type { Command } from '../src/command-line/command.ts'
import { globalOptions } from '../src/command-line/global-options.ts'
import type { Option, Options } from '../src/command-line/option.ts'

const WIDTH = 80

const programExamples = [
  ['spec && crio-lxc run demo', 'write config.json, then run the bundle in the current directory'],
  ['create --bundle /srv/web web', 'prepare a container; `crio-lxc start web` lets its process begin'],
  ['debug plan /srv/web', 'show what create would do'],
] as const

const notes = `crio-lxc COMMAND --help explains a command. Global options go before it, its own
after it; "--name value" and "--name=value" are the same. An option goes before
its variable, that before its line in /etc/default/crio-lxc, that before the
default.`

/** By command; that of the program has the empty name. */
async function helpTexts(): Promise<Record<string, string>> {
  const all = await allCommands()
  const entries = all.map(async (command) => [nameOf(command), await commandHelp(command)] as const)
  return { '': await text(program(all), programExamples, notes), ...Object.fromEntries(await Promise.all(entries)) }
}

function nameOf({ command }: Command): string {
  return command.split(' ', 1)[0] ?? ''
}

function commandHelp(command: Command): Promise<string> {
  const usage = `crio-lxc [global options] ${command.command}\n\n${command.describe}`
  return text(addOptions(base(usage), command.options), command.examples)
}

function program(all: readonly Command[]): Argv {
  let parser = base('crio-lxc [global options] <command>\n\nruns OCI containers on liblxc')
  for (const { command, describe } of all) parser = parser.command(command.replace(/ [<[].*$/, ''), describe)
  return addOptions(parser, globalOptions)
}

/** Examples stand in the epilogue: yargs would break a long command line like prose. */
async function text(parser: Argv, examples: Command['examples'], ...notes: readonly string[]): Promise<string> {
  const lines = examples.map(([line, describe]) => `  crio-lxc ${line}\n      ${describe}`)
  return `${await parser.epilogue([`Examples:\n${lines.join('\n')}`, ...notes].join('\n\n')).getHelp()}\n`
}

function base(usage: string): Argv {
  // yargs has read a version from a package.json at or above the working directory, a bundle: version(false) drops it.
  return yargs([]).detectLocale(false).version(false).help(false).scriptName('').usage(usage).wrap(WIDTH)
}

function addOptions(parser: Argv, options: Options): Argv {
  for (const [name, option] of Object.entries(options)) {
    const { alias } = option
    // Nothing is parsed here, so the name may show the value, and the description may say the rest.
    parser.option([name, valueName(option)].filter(Boolean).join(' '), {
      describe: describe(option),
      ...(alias && { alias }),
    })
  }
  return parser
}

function valueName({ type, value, choices }: Option): string {
  if (value !== undefined || type === 'boolean') return value ?? ''
  return choices && choices.join('|').length <= 18 ? choices.join('|') : 'WORD'
}

function describe(option: Option): string {
  const { type, describe, choices = [], env, default: standard } = option
  const more = [
    type === 'list' && 'may be repeated',
    valueName(option) === 'WORD' && choices.join(', '),
    standard && `default ${standard}`,
    env,
  ]
  const words = more.filter(Boolean).join('; ')
  return words ? `${describe} (${words})` : describe
}

async function allCommands(): Promise<Command[]> {
  const modules = await Promise.all(Object.values(commands).map((load) => load()))
  return modules.map((module) => module.default)
}

const generated = join(import.meta.dirname, '../generated')
mkdirSync(generated, { recursive: true })
writeFileSync(
  join(generated, 'help.ts'),
  `export const texts: Readonly<Record<string, string>> = ${JSON.stringify(await helpTexts(), null, 2)}\n`,
)
