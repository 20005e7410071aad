/** crio-lxc(8), from the tables of options and commands that the parser and the help read. */
import '@crio-lxc/core/sys/node-engine'
import { commands } from '../../packages/runtime-cli/src/cli.ts'
import { globalOptions } from '../../packages/runtime-cli/src/command-line/global-options.ts'
import type { Option, Options } from '../../packages/runtime-cli/src/command-line/option.ts'

/** As docs/configuration.md has them. */
const otherVariables = [
  ['CRIO_LXC_DEFAULTS', 'A defaults file in the place of /etc/default/crio-lxc.'],
  ['NOTIFY_SOCKET', 'The socket of a service manager, which create, start and run tell that the container is ready.'],
  ['LISTEN_FDS', 'How many file descriptors from 3 on create, run and exec hand to the process.'],
  ['DBUS_SYSTEM_BUS_ADDRESS', 'Another address of the system bus, where systemd is asked for a scope.'],
  ['PATH', 'Where ps looks for ps(1).'],
  ['NO_COLOR', 'check and logs use no colours on a terminal.'],
  ['TERM', 'Without it, or when it is dumb, check and logs use no colours, and top prints one table.'],
] as const

export async function manPage(version: string): Promise<string> {
  const all = await Promise.all(Object.values(commands).map(async (load) => (await load()).default))
  const sections = all.map(
    ({ command, describe, options, examples }) =>
      `.SS ${text(command)}\n${text(sentence(describe))}\n${optionList(options)}${exampleList(examples)}`,
  )
  return `.TH CRIO\\-LXC 8 "" "crio\\-lxc ${version}" "System Administration"
.SH NAME
crio\\-lxc \\- run OCI containers on liblxc
.SH SYNOPSIS
.B crio\\-lxc
[\\fIglobal options\\fR] \\fIcommand\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]
.SH DESCRIPTION
crio\\-lxc makes and manages containers by the OCI runtime specification. Engines such as CRI\\-O, containerd and podman call it; a
person may as well. Global options go before the command, its own after it, before or after its arguments; in exec and ps
everything behind the id is the command, or options of ps(1).
.SH GLOBAL OPTIONS
${optionList(globalOptions)}.SH COMMANDS
${sections.join('')}.SH ENVIRONMENT
Each option above that names a variable takes it where the option is not given. Beside these are read:
${otherVariables.map(([name, what]) => `.TP\n${text(name)}\n${text(what)}`).join('\n')}
.SH FILES
.TP
/etc/default/crio\\-lxc
KEY=VALUE lines with these variables, for callers that hand no environment on. crio\\-lxc config shows what applies.
.TP
/run/crio\\-lxc
a directory for each container, unless \\-\\-root names another.
.SH EXIT STATUS
0, or 1 after a failure, which is told in one line on standard error. exec and run end with the exit code of the process, 128 and
the number of the signal that killed it, exec with 255 when there was none. check ends with 1 when there is a problem,
debug plan \\-\\-diff with 2 when something differs.
.SH SEE ALSO
.BR runc (8),
.BR crun (1),
.BR lxc (7)
`
}

function optionList(options: Options): string {
  return Object.entries(options)
    .map(([name, option]) => `.TP\n${spelling(name, option)}\n${text(sentence(option.describe))}${facts(option)}\n`)
    .join('')
}

function spelling(name: string, { alias, type, value, choices }: Option): string {
  const short = alias === undefined ? '' : `\\fB\\-${alias}\\fR, `
  const argument = type === 'boolean' ? '' : `=\\fI${text(value ?? choices?.join('|') ?? 'VALUE')}\\fR`
  return `${short}\\fB${text(`--${name}`)}\\fR${argument}`
}

function facts({ type, env, default: standard }: Option): string {
  const known = [
    type === 'list' && 'May be repeated.',
    standard && `Default: ${text(standard)}.`,
    env && `Variable: ${text(env)}.`,
  ].filter(Boolean)
  return known.length === 0 ? '' : `\n${known.join(' ')}`
}

function exampleList(examples: readonly (readonly [string, string])[]): string {
  return examples
    .map(([line, describe]) => `.PP\n.RS\n.nf\ncrio\\-lxc ${text(line)}\n.fi\n.RS\n${text(describe)}\n.RE\n.RE\n`)
    .join('')
}

/** A field or a program's name at the beginning keeps its spelling. */
function sentence(words: string): string {
  const isWord = /^[a-z]+(?![\w'.])/.test(words)
  return `${isWord ? words.charAt(0).toUpperCase() : words.charAt(0)}${words.slice(1)}.`
}

/** roff's own characters stand for themselves, also at the beginning of a line. */
function text(plain: string): string {
  return plain.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replace(/^\./, '\\&.')
}
