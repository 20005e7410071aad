/** Completion: for each shell a script that asks this program for the words, and the words, from the tables of options. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { readDirectory } from '@crio-lxc/core/sys/files'
import { type CommandName, commands } from './cli.ts'
import { globalOptions } from './command-line/global-options.ts'
import type { Option, Options } from './command-line/option.ts'

/** bash splits `--name=value` into three words, of which the second is the `=`. */
const bash = `# source <(crio-lxc completion)
_crio_lxc() {
  local IFS=$'\\n'
  COMPREPLY=($("$1" --get-completions "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _crio_lxc crio-lxc
`

/** Sourced, or as the file _crio-lxc in a directory of $fpath. */
const zsh = `#compdef crio-lxc
# source <(crio-lxc completion zsh)
_crio_lxc() {
  local -a found
  found=("\${(@f)$("\${words[1]}" --get-completions "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${#found} == 0 )) || [[ -z "\${found[1]}" ]]; then _files; else compadd -a found; fi
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then _crio_lxc "$@"; else compdef _crio_lxc crio-lxc; fi
`

/** Without a word of ours fish completes paths. */
const fish = `# crio-lxc completion fish | source
function __crio_lxc
  set -l line (commandline -opc) (commandline -ct)
  $line[1] --get-completions $line[2..-1] 2>/dev/null
end
complete -c crio-lxc -a '(__crio_lxc)'
`

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish }

/** The script for the shell that the arguments of `completion` name, bash unless given. */
export function completionScript(args: readonly string[]): string {
  const [shell = 'bash', ...others] = args
  if (others.length > 0)
    throw new RuntimeError('usage', `"completion" requires a maximum of 1 argument(s), got ${args.length}: [shell]`)
  if (Object.hasOwn(scripts, shell)) return scripts[shell] ?? ''
  throw new RuntimeError(
    'usage',
    `completion for ${JSON.stringify(shell)} is not supported: want one of ${Object.keys(scripts).join(', ')}`,
  )
}

const commonOptions = { help: { type: 'boolean', describe: '' } } as const satisfies Options
const signals = ['HUP', 'INT', 'QUIT', 'KILL', 'USR1', 'USR2', 'TERM', 'CONT', 'STOP', 'WINCH']

/** What may stand in the place of the last of `words`, the command line after the program's name; none: a path. */
export async function completions(words: readonly string[], defaultRoot: string): Promise<string[]> {
  const line = words.filter((word) => word !== '=')
  const last = words.at(-1) === '=' ? '' : (line.pop() ?? '')
  const global = readLine(line, globalOptions, true)
  const [name, ...args] = global.positionals
  const root = global.root ?? defaultRoot
  const found = name === undefined ? programWords(global, last) : await commandWords({ name, args, last, root })
  return found.filter((word) => word.startsWith(last))
}

function programWords({ pending }: Line, last: string): readonly string[] {
  if (pending) return pending.choices ?? []
  return last.startsWith('-') ? names(globalOptions) : [...Object.keys(commands), 'help', 'completion']
}

interface Place {
  readonly name: string
  readonly args: readonly string[]
  readonly last: string
  readonly root: string
}

async function commandWords({ name, args, last, root }: Place): Promise<readonly string[]> {
  if (name === 'help') return Object.keys(commands)
  if (name === 'completion') return args.length === 0 ? Object.keys(scripts) : []
  if (!Object.hasOwn(commands, name)) return []
  const { command, options, stopAtPositional = false } = (await commands[name as CommandName]()).default
  const { pending, positionals } = readLine(args, { ...options, ...commonOptions }, stopAtPositional)
  if (pending) return pending.choices ?? []
  if (stopAtPositional && positionals.length > 0) return []
  if (last.startsWith('-')) return names({ ...options, ...commonOptions })
  const place = command.split(' ')[positionals.length + 1] ?? ''
  if (place === '[signal]') return signals
  // create and run take an id that is new.
  if (place === '[container-id]') return idsBelow(root)
  if (place === '<container-id>') return name === 'create' || name === 'run' ? [] : idsBelow(root)
  return /^\w/.test(place) ? [place] : []
}

interface Line {
  readonly positionals: readonly string[]
  /** The option whose value is wanted next. */
  readonly pending: Option | undefined
  readonly root: string | undefined
}

/** As cli.ts reads a line, but for one that is not finished and may be wrong. */
function readLine(words: readonly string[], options: Options, stopAtPositional: boolean): Line {
  const left = [...words]
  const positionals: string[] = []
  let root: string | undefined
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (!word.startsWith('-')) {
      positionals.push(word)
      if (stopAtPositional) break
      continue
    }
    const [, spelled = '', attached] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    const name = Object.hasOwn(options, spelled)
      ? spelled
      : Object.keys(options).find((name) => options[name]?.alias === spelled)
    const option = name === undefined ? undefined : options[name]
    if (option === undefined || option.type === 'boolean') continue
    const value = attached ?? left.shift()
    if (value === undefined) return { positionals, pending: option, root }
    if (name === 'root') root = value
  }
  return { positionals: [...positionals, ...left], pending: undefined, root }
}

function names(options: Options): string[] {
  return Object.keys(options).map((name) => `--${name}`)
}

function idsBelow(root: string): string[] {
  try {
    return readDirectory(root).filter((name) => !/^\.?:/.test(name))
  } catch {
    // A word less to choose from, and no message in the middle of somebody's command line.
    return []
  }
}
