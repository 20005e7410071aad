/**
 * crio-lxc from its arguments to its exit code: 1 for a failure, 255 for one of exec (runc's), or what the container's
 * process returned (run, exec). The only place that prints errors and writes them to the log.
 */

import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { leftBehind } from '@crio-lxc/core/host/log/clean-up'
import { configureLogging, logContainer, logFailure, logVerb } from '@crio-lxc/core/host/log/logger'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { effectiveUid, environment, exit, programArguments } from '@crio-lxc/core/sys/program'
import { findCommand, parseCommand, parseGlobal } from './cli.ts'
import { load } from './command-line/command.ts'
import { findValue, toLogConfiguration, toSettings } from './command-line/configuration.ts'
import { givenBy, reportProblems } from './command-line/given.ts'
import { singleLine, stderrSink, writeErrorLine, writeOut } from './command-line/output.ts'
import type { Settings } from './settings.ts'

const context: { debug: boolean; failureCode: number; settings?: Settings } = { debug: false, failureCode: 1 }
/** Kinds of failures for which the installation may be to blame. */
const suspicious: ReadonlySet<ErrorCode> = new Set(['io', 'liblxc', 'create-failed', 'hook-failed', 'timeout'])

/** Everything; it returns only what is thrown while an error is reported. */
export async function run(): Promise<never> {
  try {
    exit(await main(programArguments))
  } catch (error) {
    exit(await report(error))
  }
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === '--get-completions') return print(completionWords(argv.slice(1)))

  const { values: global, rest } = parseGlobal(argv)
  context.debug = global.debug ?? false
  const [name, ...args] = rest
  if (global.version) return print((await import('./version.ts')).versionText())
  if (global.help || name === undefined) return help()

  const fallback = stderrSink(context.debug ? 'debug' : 'warn')
  const given = await givenBy(global, environment())
  const logging = toLogConfiguration(given)
  // What logs reads it neither makes nor adds to.
  const file = name === 'logs' ? undefined : logging.file
  await configureLogging({ ...logging, file, command: name, fallback })
  const { default: command } = await load(findCommand(name === 'h' ? 'help' : name))
  const parsed = phaseLog('cli')
  const { values, positionals, help: helpWanted } = parseCommand(command, args)
  if (helpWanted) return help(command.command.split(' ', 1)[0])
  context.failureCode = command.failureCode ?? 1
  const [id] = positionals
  if (id !== undefined && command.command.includes('container-id')) logContainer(id)
  if (!command.unconfigured) await reportProblems(given, command)
  const settings = toSettings(command.unconfigured ? { values: {}, env: {} } : given)
  context.settings = settings
  // Not its arguments: they may hold secrets, such as the variables of exec.
  parsed('options', `${name} begins`)
  const done = phaseLog('cli')
  const code = (await command.handler({ settings, values, positionals, given })) ?? 0
  logVerb(`${name} ends with exit code ${code}`, !command.looks, { c: 'cli', code })
  done(name)
  return code
}

async function help(command?: string): Promise<number> {
  return print((await import('./commands/help-text.ts')).helpText(command))
}

/** One a line. */
async function completionWords(words: readonly string[]): Promise<string> {
  const { completions } = await import('./completion.ts')
  const root = findValue(await givenBy({}, environment()), 'root').text
  return (await completions(words, root)).map((word) => `${word}\n`).join('')
}

async function print(text: string | Promise<string>): Promise<number> {
  writeOut(await text)
  return 0
}

/** Says what went wrong, in one line, on stderr and in the logs; returns the exit code. */
async function report(error: unknown): Promise<number> {
  const sentence = error instanceof RuntimeError ? await explain(error) : undefined
  const cause = sentence ?? `internal error: ${messageOf(error)}`
  const advice = rootAdvice(cause) || (await remedy(cause))
  const message = singleLine(`${cause}${advice}${leftBehind(error)}`)
  const errorCode = error instanceof RuntimeError ? error.code : undefined
  logFailure(message, { c: 'cli', code: context.failureCode, errorCode })
  writeErrorLine(message)
  if (context.debug && sentence === undefined && error instanceof Error)
    for (const line of stack(error)) writeErrorLine(line)
  return context.failureCode
}

/** What may be the fault of the installation, and then says too little about it. */
async function explain({ code, message }: RuntimeError): Promise<string> {
  if (context.settings === undefined || !suspicious.has(code) || effectiveUid() !== 0) return message
  try {
    const { installationProblem } = await import('./installation/installation.ts')
    return installationProblem(context.settings, code) ?? message
  } catch {
    // Looking has failed as well, for instance for want of fds: what happened is known all the same.
    return message
  }
}

/** On Node what has the remedies is a file, which may not be opened for want of fds: the sentence is said without one then. */
async function remedy(sentence: string): Promise<string> {
  try {
    const { remedyFor } = await import('./command-line/remedies.ts')
    return remedyFor(sentence)
  } catch {
    return ''
  }
}

function rootAdvice(message: string): string {
  const denied = /permission denied|operation not permitted/.test(message)
  return denied && effectiveUid() !== 0 ? ': run it as root' : ''
}

function stack(error: Error): string[] {
  return (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
}
