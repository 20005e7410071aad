/**
 * From argv to a command's handler, as runc's parser (urfave/cli on Go's flag package) reads it: global options, the
 * command, then its options and positional arguments in any order. yargs itself is loaded for help and completion only
 * (commands/help.ts); it takes longer to start than the rest of `state`.
 */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import yargsParser from 'yargs-parser/browser'
import type { Command } from './command.ts'
import { type GlobalValues, globalOptions } from './global-options.ts'
import { parseGoBool } from './go-bool.ts'
import type { Option, Options, Values } from './option.ts'

/** Every command, loaded when it is called. */
export const commands = {
  create: () => import('./commands/create.ts'),
  start: () => import('./commands/start.ts'),
  run: () => import('./commands/run.ts'),
  state: () => import('./commands/state.ts'),
  kill: () => import('./commands/kill.ts'),
  delete: () => import('./commands/delete.ts'),
  exec: () => import('./commands/exec.ts'),
  list: () => import('./commands/list.ts'),
  spec: () => import('./commands/spec.ts'),
  debug: () => import('./commands/debug.ts'),
} as const satisfies Record<string, () => Promise<{ default: Command }>>

export type CommandName = keyof typeof commands

/** Commands of runc that callers try; CRI-O takes the failure of `checkpoint --help` and `features` for "has not". */
const notSupportedYet = new Set(['checkpoint', 'events', 'features', 'pause', 'ps', 'restore', 'resume', 'update'])

/** Options of every command. */
const commonOptions = { help: { type: 'boolean', alias: 'h', describe: 'print this help' } } as const satisfies Options

/** The global options, and everything from the command on. */
export function parseGlobal(argv: readonly string[]): { values: GlobalValues; rest: readonly string[] } {
  const { values, positionals } = parseOptions(argv, globalOptions, { owner: '', stopAtPositional: true })
  return { values, rest: positionals }
}

/** The loader of a command. Throws RuntimeError when there is none of that name. */
export function findCommand(name: string): () => Promise<{ default: Command }> {
  if (Object.hasOwn(commands, name)) return commands[name as CommandName]
  const reason = notSupportedYet.has(name) ? 'it is not supported yet' : 'crio-lxc --help lists all'
  throw new RuntimeError('usage', `unknown command ${JSON.stringify(name)}: ${reason}`)
}

/** What a command was given. Throws RuntimeError that names the option or the argument at fault. */
export function parseCommand(
  command: Command,
  argv: readonly string[],
): { values: Values<Options>; positionals: readonly string[]; help: boolean } {
  const { stopAtPositional = false } = command
  const [owner = '', ...usage] = command.command.split(' ')
  const { values, positionals } = parseOptions(
    argv,
    { ...command.options, ...commonOptions },
    { owner, stopAtPositional },
  )
  if (values.help) return { values, positionals, help: true }
  checkPositionals(owner, usage, positionals)
  return { values, positionals, help: false }
}

function checkPositionals(owner: string, usage: readonly string[], positionals: readonly string[]): void {
  const least = usage.filter((word) => !word.startsWith('[')).length
  const most = usage.some((word) => word.includes('..')) ? Number.POSITIVE_INFINITY : usage.length
  if (positionals.length >= least && positionals.length <= most) return
  const count =
    least === most ? `exactly ${least}` : positionals.length < least ? `a minimum of ${least}` : `a maximum of ${most}`
  const want = usage.length === 0 ? '' : `: ${usage.join(' ')}`
  throw new RuntimeError('usage', `"${owner}" requires ${count} argument(s), got ${positionals.length}${want}`)
}

/** Go's flag package: `-name` is `--name`, a value may follow as `=value`, and `--` ends the options. */
const configuration = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'nargs-eats-options': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'short-option-groups': false,
}

interface Context {
  /** The command, empty for the global options. */
  readonly owner: string
  readonly stopAtPositional: boolean
}

function parseOptions<const O extends Options>(
  argv: readonly string[],
  options: O,
  { owner, stopAtPositional }: Context,
): { values: Values<O>; positionals: readonly string[] } {
  const long = Object.keys(options)
  const narg: Record<string, number> = {}
  const alias: Record<string, string> = {}
  for (const name of long) {
    narg[name] = options[name]?.type === 'boolean' ? 0 : 1
    if (options[name]?.alias !== undefined) alias[name] = options[name].alias
  }
  const { argv: parsed, error } = yargsParser.detailed(
    argv.map((arg) => protectBoolean(arg, options, narg)),
    {
      alias,
      narg,
      string: long.filter((name) => options[name]?.type !== 'boolean'),
      configuration: { ...configuration, 'halt-at-non-option': stopAtPositional },
      __: (_: string, name: string) => `flag needs an argument: ${dashed(name)}`,
    } as Parameters<typeof yargsParser.detailed>[1],
  )

  const given: Record<string, unknown> = {}
  const aliases = new Set(Object.values(alias))
  for (const [key, value] of Object.entries(parsed)) {
    if (key === '_' || key === '--' || aliases.has(key)) continue
    const [name = '', bool] = key.split('\0')
    const canonical = long.find((long) => long === name || alias[long] === name)
    const option = canonical === undefined ? undefined : options[canonical]
    if (canonical === undefined || option === undefined) throw unknownOption(name, owner)
    if (option.unsupported) throw new RuntimeError('unsupported', `${owner} --${canonical} is not supported yet`)
    given[canonical] = bool === undefined ? readValue(canonical, option, value) : parseGoBool(bool, dashed(name))
  }
  // Last, because an unknown option that comes first makes the parser miscount what follows.
  if (error) throw new RuntimeError('usage', error.message)

  const stray = parsed._.find((arg) => /^-./.test(String(arg)))
  if (stray !== undefined) throw unknownOption(String(stray).replace(/^-+/, ''), owner)
  const positionals = [...parsed._, ...(parsed['--'] ?? [])].map((arg) => restore(String(arg)))
  return { values: given as Values<O>, positionals }
}

/**
 * `--flag=value` of a boolean under a name that cannot come from a caller: yargs-parser takes any value but "true" for
 * false, and a following positional argument "true" for the value. No argument of a process contains a NUL.
 */
function protectBoolean(arg: string, options: Options, narg: Record<string, number>): string {
  const [, dashes, name = '', value] = /^(--?)([^-=][^=]*)=(.*)$/s.exec(arg) ?? []
  if (dashes === undefined) return arg
  const isBoolean = Object.entries(options).some(
    ([long, { alias, type }]) => type === 'boolean' && (long === name || alias === name),
  )
  if (!isBoolean) return arg
  narg[`${name}\0${value}`] = 0
  return `${dashes}${name}\0${value}`
}

function restore(text: string): string {
  return text.replace('\0', '=')
}

function readValue(name: string, { type, choices }: Option, value: unknown): unknown {
  if (type === 'boolean') return true
  const all = (Array.isArray(value) ? value : [value]).map((item) => restore(String(item)))
  const last = all.at(-1) ?? ''
  if (type === 'list') return all
  if (type === 'count') return parseCount(name, last)
  if (choices !== undefined && !choices.includes(last))
    throw new RuntimeError('usage', `invalid --${name} ${JSON.stringify(last)}: want one of ${choices.join(', ')}`)
  return last
}

function parseCount(name: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : undefined
  if (count === undefined)
    throw new RuntimeError('usage', `invalid --${name} ${JSON.stringify(text)}: want a non-negative integer`)
  return count
}

function unknownOption(name: string, owner: string): RuntimeError {
  const hint =
    owner !== '' && Object.hasOwn(globalOptions, name)
      ? `it goes before ${owner}`
      : `see crio-lxc ${owner}${owner === '' ? '' : ' '}--help`
  return new RuntimeError('usage', `flag provided but not defined: ${dashed(name)}: ${hint}`)
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}
