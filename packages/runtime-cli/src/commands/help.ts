/** Help and completion, by yargs from the same tables; loaded for nothing else. */
import yargs, { type Argv, type Options as YargsOptions } from 'yargs'
import { commands } from '../cli.ts'
import type { Command } from '../command.ts'
import { globalOptions } from '../global-options.ts'
import type { Option, Options } from '../option.ts'

/** The help of a command, or of the program. */
export async function helpText(name?: string): Promise<string> {
  if (name === undefined) return `${await (await program()).getHelp()}\n`
  const command = (await allCommands()).find(({ command }) => nameOf(command) === name)
  if (command === undefined) throw new Error(`no help for ${name}`)
  const help = await addCommand(
    base(`$0 [global options] ${command.command}\n\n${command.describe}`),
    command,
  ).getHelp()
  return `${help}\n`
}

/** A script for bash and zsh that asks this program for the words. */
export async function completionScript(): Promise<string> {
  let script = ''
  await (await program())
    .completion('completion', false)
    .parse('completion', (_error: unknown, _argv: unknown, output: string) => {
      script = output
    })
  return `${script}\n`
}

/** The words that may follow, one a line. */
export async function completions(words: readonly string[]): Promise<string> {
  const found = await (await program()).completion('completion', false).getCompletion([...words])
  return found.map((word) => `${word}\n`).join('')
}

async function program(): Promise<Argv> {
  let parser = addOptions(base('$0 [global options] <command>\n\nruns OCI containers on liblxc'), globalOptions)
  for (const command of await allCommands())
    parser = parser.command(command.command, command.describe, (yargs) => addCommand(yargs, command))
  return parser
    .epilogue(
      'crio-lxc COMMAND --help explains a command. A flag goes before its variable, a variable before the default.',
    )
    .example('$0 spec && $0 run demo', 'write config.json, then run the bundle in the current directory')
    .example('$0 create --bundle /srv/web web', 'prepare a container; `crio-lxc start web` lets its process begin')
    .example('$0 debug plan /srv/web', 'show what create would do')
}

function base(usage: string): Argv {
  // yargs has read a version from a package.json at or above the working directory, a bundle: version(false) drops it.
  return yargs([]).detectLocale(false).version(false).help(false).scriptName('crio-lxc').usage(usage).wrap(100)
}

function addCommand(parser: Argv, { options, examples }: Command): Argv {
  let extended = addOptions(parser, options)
  for (const [line, describe] of examples) extended = extended.example(`$0 ${line}`, describe)
  return extended
}

function addOptions(parser: Argv, options: Options): Argv {
  for (const [name, option] of Object.entries(options)) parser.option(name, toYargs(option))
  return parser
}

function toYargs({ type, alias, describe, value, env, default: standard, choices }: Option): YargsOptions {
  return {
    type: type === 'boolean' ? 'boolean' : 'string',
    describe: [value && `${value}:`, describe, env && `(${env})`].filter(Boolean).join(' '),
    ...(alias === undefined ? {} : { alias }),
    ...(choices === undefined ? {} : { choices }),
    ...(standard === undefined ? {} : { default: standard, defaultDescription: standard }),
  }
}

async function allCommands(): Promise<Command[]> {
  const modules = await Promise.all(Object.values(commands).map((load) => load()))
  return modules.map((module) => module.default)
}

function nameOf(command: string): string {
  return command.split(' ', 1)[0] ?? ''
}
