/** The words that complete a command line, from the tables of commands and options. */

import { errorKinds } from '@crio-lxc/core/errors/codes'
import { signalNames } from '@crio-lxc/core/host/process/signals'
import { capabilityBit } from '@crio-lxc/core/oci/capabilities'
import type { Status } from '@crio-lxc/core/oci/state'
import { readDirectory } from '@crio-lxc/core/sys/files'
import { type CommandName, commands } from './cli.ts'
import { shells } from './command-line/completion-scripts.ts'
import { toSettings } from './command-line/configuration.ts'
import { globalOptions } from './command-line/global-options.ts'
import type { Option, Options } from './command-line/option.ts'
import { statuses } from './listing/filter.ts'

const commonOptions = { help: { type: 'boolean', alias: 'h', describe: '' } } as const satisfies Options

/** The containers that a command works on; one that is missing works on any, damaged ones too, create and run on none. */
const statusesFor: Readonly<Record<string, readonly Status[]>> = {
  create: [],
  run: [],
  start: ['created'],
  kill: ['created', 'running', 'paused'],
  delete: ['created', 'stopped'],
  exec: ['created', 'running', 'paused'],
  pause: ['created', 'running'],
  resume: ['paused'],
  update: ['created', 'running', 'paused'],
  events: ['created', 'running', 'paused'],
}

/** What may stand in the place of the last of `words`, the command line after the program's name; none: a path. */
export async function completions(words: readonly string[], defaultRoot: string): Promise<string[]> {
  const last = words.at(-1) ?? ''
  const global = readLine(words.slice(0, -1), globalOptions, true)
  const [name, ...args] = global.positionals
  const root = global.given.get('root') ?? defaultRoot
  const found =
    name === undefined
      ? await optionWords(global, { options: globalOptions, last, root })
      : await commandWords({ name, args, last, root })
  return (found ?? Object.keys(commands)).filter((word) => word.startsWith(last))
}

interface Place {
  readonly name: string
  readonly args: readonly string[]
  readonly last: string
  readonly root: string
}

async function commandWords({ name, args, last, root }: Place): Promise<readonly string[]> {
  if (!Object.hasOwn(commands, name)) return []
  const { command, options: own, stopAtPositional = false } = (await commands[name as CommandName]()).default
  const options = { ...own, ...commonOptions }
  const line = readLine(args, options, stopAtPositional)
  if (stopAtPositional && line.positionals.length > 0) return []
  const ofOption = await optionWords(line, { options, last, root })
  if (ofOption !== undefined) return ofOption
  const usage = command.split(' ').slice(1)
  const repeated = usage.at(-1)?.endsWith('..]') ? usage.at(-1) : undefined
  const place = usage[line.positionals.length] ?? repeated ?? ''
  if (place.includes('container-id')) {
    const ids = await idsFor(line.given.has('force') ? '' : name, root)
    return ids.filter((id) => !line.positionals.includes(id))
  }
  if (place === '[signal]') return signalWords(last)
  if (place === '[shell]') return shells
  if (place === '[code]') return Object.keys(errorKinds)
  if (name === 'help') return line.positionals.length === 0 ? Object.keys(commands) : []
  return /^\w/.test(place) ? [place] : []
}

interface Wanted {
  readonly options: Options
  readonly last: string
  readonly root: string
}

/** The value of an option, behind it or behind `=`, or its name; undefined where something else is wanted. */
async function optionWords(line: Line, { options, last, root }: Wanted): Promise<readonly string[] | undefined> {
  if (line.pending) return await valueWords(line.pending, { options, last, root })
  const [, spelled, value = ''] = /^(--?[^=]+=)(.*)$/s.exec(last) ?? []
  if (spelled === undefined) return last.startsWith('-') ? Object.keys(options).map((name) => `--${name}`) : undefined
  const name = longName(options, spelled.replace(/^--?|=$/g, ''))
  if (name === undefined) return []
  return (await valueWords(name, { options, last: value, root })).map((word) => `${spelled}${word}`)
}

async function valueWords(name: string, { options, last, root }: Wanted): Promise<readonly string[]> {
  const { type, choices, value = '' }: Option = options[name] ?? { type: 'string', describe: '' }
  if (choices !== undefined) return choices
  if (type === 'boolean') return ['true', 'false']
  if (/^\w+(\|\w+)+$/.test(value)) return value.split('|')
  if (name === 'cap') return Object.keys(capabilityBit)
  return name === 'filter' ? await filterWords(last, root) : []
}

async function filterWords(last: string, root: string): Promise<readonly string[]> {
  if (last.startsWith('status=')) return statuses.map((status) => `status=${status}`)
  if (last.startsWith('id=')) return (await idsFor('', root)).map((id) => `id=${id}`)
  return ['status=', 'id=', 'annotation=']
}

/** In the spelling that was begun: `TERM`, `SIGTERM`, `term`. */
function signalWords(last: string): readonly string[] {
  const names = last.toUpperCase().startsWith('SIG') ? signalNames.map((name) => `SIG${name}`) : signalNames
  return /^[a-z]/.test(last) ? names.map((name) => name.toLowerCase()) : names
}

async function idsFor(name: string, root: string): Promise<readonly string[]> {
  const wanted = statusesFor[name]
  if (wanted?.length === 0) return []
  try {
    if (wanted === undefined) return readDirectory(root).filter((id) => !/^\.?:/.test(id))
    const { list } = await import('./lifecycle/list.ts')
    return list(toSettings({ values: { root }, env: {} })).flatMap(({ id, status }) =>
      wanted.includes(status) ? [id] : [],
    )
  } catch {
    // A word less to choose from, and no message in the middle of somebody's command line.
    return []
  }
}

interface Line {
  readonly positionals: readonly string[]
  /** The option whose value is wanted next. */
  readonly pending: string | undefined
  /** By long name, the last value of each. */
  readonly given: ReadonlyMap<string, string>
}

/** As cli.ts reads a line, but for one that is not finished and may be wrong. */
function readLine(words: readonly string[], options: Options, stopAtPositional: boolean): Line {
  const left = [...words]
  const positionals: string[] = []
  const given = new Map<string, string>()
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') break
    if (!word.startsWith('-')) {
      positionals.push(word)
      if (stopAtPositional) break
      continue
    }
    const [, spelled = '', attached] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    const name = longName(options, spelled)
    if (name === undefined) continue
    const value = attached ?? (options[name]?.type === 'boolean' ? 'true' : left.shift())
    if (value === undefined) return { positionals, pending: name, given }
    given.set(name, value)
  }
  return { positionals: [...positionals, ...left], pending: undefined, given }
}

function longName(options: Options, spelled: string): string | undefined {
  if (Object.hasOwn(options, spelled)) return spelled
  return Object.keys(options).find((name) => options[name]?.alias === spelled)
}
