/**
 * From argv to a command's handler, as runc's parser (urfave/cli on Go's flag package) reads it: global options, the
 * command, then its options and positional arguments in any order. yargs, whose parser knows no Go, is loaded for help
 * only (commands/help-text.ts): it takes longer to start than the rest of `state`.
 */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { closest } from './command-line/closest.ts'
import type { Command } from './command-line/command.ts'
import { type GlobalValues, globalOptions } from './command-line/global-options.ts'
import { parseGoBool } from './command-line/go-bool.ts'
import type { Option, Options, Values } from './command-line/option.ts'
import { unknownCommand } from './command-line/unknown-command.ts'

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
  pause: () => import('./commands/pause.ts'),
  resume: () => import('./commands/resume.ts'),
  update: () => import('./commands/update.ts'),
  ps: () => import('./commands/ps.ts'),
  events: () => import('./commands/events.ts'),
  top: () => import('./commands/top.ts'),
  spec: () => import('./commands/spec.ts'),
  features: () => import('./commands/features.ts'),
  config: () => import('./commands/config.ts'),
  debug: () => import('./commands/debug.ts'),
  check: () => import('./commands/check.ts'),
  inspect: () => import('./commands/inspect.ts'),
  logs: () => import('./commands/logs.ts'),
  explain: () => import('./commands/explain.ts'),
  help: () => import('./commands/help.ts'),
  completion: () => import('./commands/completion.ts'),
} as const satisfies Record<string, () => Promise<{ default: Command }>>

export type CommandName = keyof typeof commands

/** What lxcri and crio-lxc 0.0.3 called a global option; their `--timeout` was each verb's own. */
const renamed: Readonly<Record<string, string>> = {
  'cmd-init': 'init-cmd',
  'cmd-start': 'start-cmd',
  'hook-timeout': 'create-hook-timeout',
}

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
  throw unknownCommand(name, Object.keys(commands))
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

interface Context {
  /** The command, empty for the global options. */
  readonly owner: string
  readonly stopAtPositional: boolean
}

/** Go's flag package: `-name` is `--name`, a value may follow as `=value`, and `--` ends the options. */
function parseOptions<const O extends Options>(
  argv: readonly string[],
  options: O,
  { owner, stopAtPositional }: Context,
): { values: Values<O>; positionals: readonly string[] } {
  const given: Record<string, unknown> = {}
  const positionals: string[] = []
  const left = [...argv]
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === '--') break
    if (!arg.startsWith('-') || arg === '-') {
      positionals.push(arg)
      if (stopAtPositional) break
      continue
    }
    const { spelled, attached } = splitOption(arg)
    const name = longName(options, spelled)
    const option = name === undefined ? undefined : options[name]
    if (name === undefined || option === undefined) {
      // Behind "plan" and the bundle.
      const inCommand = owner === 'debug' && positionals.length > 2
      throw unknownOption(arg, { owner, options, next: left[0], inCommand })
    }
    if (option.type === 'boolean') {
      given[name] = attached === undefined || parseGoBool(attached, dashed(spelled))
      continue
    }
    const value = attached ?? left.shift()
    if (value === undefined) throw new RuntimeError('usage', `flag needs an argument: ${dashed(spelled)}`)
    given[name] = readValue(name, option, { value, before: given[name] })
  }
  return { values: given as Values<O>, positionals: [...positionals, ...left] }
}

function splitOption(arg: string): { spelled: string; attached: string | undefined } {
  const name = arg.slice(arg.startsWith('--') ? 2 : 1)
  const at = name.indexOf('=')
  return at < 0 ? { spelled: name, attached: undefined } : { spelled: name.slice(0, at), attached: name.slice(at + 1) }
}

function longName(options: Options, spelled: string): string | undefined {
  if (Object.hasOwn(options, spelled)) return spelled
  return Object.keys(options).find((name) => options[name]?.alias === spelled)
}

/** The last of several wins, but for lists. */
function readValue(
  name: string,
  { type, choices }: Option,
  { value, before }: { value: string; before: unknown },
): unknown {
  if (type === 'list') return [...((before as string[] | undefined) ?? []), value]
  if (type === 'count') return parseCount(name, value)
  if (choices !== undefined && !choices.includes(value))
    throw new RuntimeError('usage', `invalid --${name} ${JSON.stringify(value)}: want one of ${choices.join(', ')}`)
  return value
}

function parseCount(name: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : undefined
  if (count === undefined)
    throw new RuntimeError('usage', `invalid --${name} ${JSON.stringify(text)}: want a non-negative integer`)
  return count
}

/** Where an unknown option stands. */
interface Unknown {
  readonly owner: string
  readonly options: Options
  /** The word behind it. */
  readonly next: string | undefined
  /** It is probably one of a command that is named before it. */
  readonly inCommand: boolean
}

function unknownOption(arg: string, unknown: Unknown): RuntimeError {
  const problem = `flag provided but not defined: ${arg.split('=', 1)[0]}`
  return new RuntimeError('usage', `${problem}: ${hint(arg, unknown)}`)
}

function hint(arg: string, { owner, options, next, inCommand }: Unknown): string {
  if (inCommand) return 'put -- before a command that has options'
  const { spelled, attached } = splitOption(arg)
  const signal = owner === 'kill' ? signalIn(spelled, attached ?? next) : undefined
  if (signal !== undefined) return `the signal goes behind the id: kill ID ${signal}`
  if (owner !== '' && Object.hasOwn(globalOptions, spelled)) return `it goes before ${owner}`
  const now = spelled === 'timeout' ? `${owner}-timeout` : renamed[spelled]
  if (now !== undefined && Object.hasOwn(globalOptions, now))
    return `did you mean --${now}${owner === '' ? '' : `, before ${owner}`}?`
  const meant = closest(spelled, Object.keys(options))
  if (meant !== undefined) return `did you mean --${meant}?`
  // Docker's habit: exec -it.
  const letters = [...spelled].filter((letter) => longName(options, letter) !== undefined)
  if (/^-[a-z]{2,3}$/.test(arg) && letters.length > 0)
    return `letters do not combine: give ${letters.map(dashed).join(' ')}`
  return `see crio-lxc ${owner}${owner === '' ? '' : ' '}--help`
}

/** The habit of kill(1): `-9`, `-KILL`, `-s KILL`. */
function signalIn(spelled: string, value = 'TERM'): string | undefined {
  if (spelled === 's' || spelled === 'signal') return value
  return /^([1-9]|[1-5]\d|6[0-4]|(SIG)?[A-Z]+\d?)$/.test(spelled) ? spelled : undefined
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}
