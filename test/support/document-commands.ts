/** Command lines in the documents, held against the real tables of options. */
import type { RuntimeError } from '../../packages/core/src/errors/runtime-error.ts'
import { commands, findCommand, parseCommand, parseGlobal } from '../../packages/runtime-cli/src/cli.ts'
import type { Command } from '../../packages/runtime-cli/src/command-line/command.ts'
import { blocksOf, spansOf } from './documents.ts'

export interface Mention {
  /** The words after the name of the program. */
  readonly words: readonly string[]
  /** Inline code may leave arguments out. */
  readonly whole: boolean
}

/** Every `crio-lxc ...` of a document; inline code may also begin with the name of a verb and an option of it, but for ps(1). */
export function mentionsOf(document: string): Mention[] {
  const lines = blocksOf(document).flatMap(({ language, lines }) => shellLines(language, lines))
  const spans = spansOf(document)
  return [
    ...lines.flatMap((line) => callsIn(line, true)),
    ...spans.flatMap((span) => callsIn(span, false)),
    ...spans.filter(beginsWithVerb).flatMap((span) => callsIn(`crio-lxc ${span}`, false)),
  ]
}

/** Of a console only what stands behind a prompt. */
function shellLines(language: string, lines: readonly string[]): readonly string[] {
  if (language === 'console') return lines.filter((line) => line.startsWith('# ')).map((line) => line.slice(2))
  return ['', 'sh', 'bash'].includes(language) ? lines : []
}

function beginsWithVerb(span: string): boolean {
  const [verb = '', next = ''] = span.split(' ')
  return Object.hasOwn(commands, verb) && verb !== 'ps' && next.startsWith('-')
}

/** What may stand before a command that is run. */
const before = new Set(['sudo', 'exec', 'time', 'do', 'then', 'if', 'while', 'strace'])

function callsIn(line: string, whole: boolean): Mention[] {
  const nested = [...line.matchAll(/[$<]\(([^()]*)\)/g)].flatMap(([, inner = '']) => callsIn(inner, whole))
  const own = simpleCommands(line).flatMap((all) => {
    const words = all.slice(all.findIndex((word) => !/^[A-Z_]+=/.test(word)))
    const at = words.findIndex((word) => /^(\/[\w./-]*\/)?crio-lxc$/.test(word))
    if (at < 0 || (at > 0 && !before.has(words[0] ?? ''))) return []
    return [{ words: words.slice(at + 1), whole }]
  })
  return [...own, ...nested]
}

/** The words of each command of a line of sh, without redirections and comments. */
function simpleCommands(line: string): string[][] {
  const tokens =
    line.match(/(?<!\S)\d?[<>]+&?|(?:'[^']*'|"(?:\\.|[^"])*"|\\.|[^\s'"\\;&|<>()])+|[;&|()]+|\d?[<>]+&?/g) ?? []
  const lists: string[][] = [[]]
  for (const [index, token] of tokens.entries()) {
    if (token.startsWith('#')) break
    if (/^[;&|()]+$/.test(token)) lists.push([])
    else if (!isRedirection(token) && !isRedirection(tokens[index - 1])) lists.at(-1)?.push(token.replace(/['"]/g, ''))
  }
  return lists.filter((words) => words.length > 0)
}

const isRedirection = (token = ''): boolean => /^\d?[<>]+&?$/.test(token)

/** What the parser says of it; undefined when it is a command line. `...` stands for words. */
export async function problemOf({ words, whole }: Mention): Promise<string | undefined> {
  const left = words.filter((word) => word !== '...')
  try {
    const [verb, ...args] = parseGlobal(left).rest
    // Words in capitals stand for others; these two are the program's own.
    if (verb === undefined || /^([A-Z]+|completion|help)$/.test(verb)) return undefined
    const { default: command } = await findCommand(verb)()
    parseCommand(whole && left.length === words.length ? command : withoutArguments(command), args)
    return undefined
  } catch (error) {
    const { code, message } = error as RuntimeError
    // What has no such verb is asked for it by callers, and an option may be named without its value.
    if (code === 'unsupported' || (!whole && message.startsWith('flag needs an argument'))) return undefined
    return `crio-lxc ${words.join(' ')}: ${message}`
  }
}

function withoutArguments(command: Command): Command {
  return { ...command, command: `${command.command.split(' ')[0]} [arguments..]` }
}

/** Long options in inline code that stand alone, without their program. */
export function optionsAlone(document: string): string[] {
  return spansOf(document).flatMap((span) => /^--([a-z][a-z0-9-]*)/.exec(span)?.[1] ?? [])
}

/** Every option of the program. */
export async function knownOptions(globalOptions: object): Promise<Set<string>> {
  const all = await Promise.all(Object.values(commands).map((load) => load()))
  return new Set([...Object.keys(globalOptions), ...all.flatMap(({ default: { options } }) => Object.keys(options))])
}
