import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import type { Settings } from '../settings.ts'
import type { Given } from './configuration.ts'
import type { Options, Values } from './option.ts'

/** One command: what it is called, what it takes and the short handler that calls the verb of the lifecycle. */
export interface Command<O extends Options = Options> {
  /** Name and positional arguments as yargs writes them: `kill <container-id> [signal]`, `..` after the last repeats. */
  readonly command: string
  readonly describe: string
  readonly options: O
  /** Command line without the program's name, and what it does. */
  readonly examples: readonly (readonly [string, string])[]
  /** Everything from the first positional argument on is the user's, options too (exec). */
  readonly stopAtPositional?: true
  /** A defaults file that is wrong is an error, because what is started would run under other settings than the operator's. */
  readonly needsDefaults?: true
  /** It needs no setting, so that none that is wrong keeps it from being done. */
  readonly unconfigured?: true
  /** It changes nothing: that it has ended is no news for the operators' log. */
  readonly looks?: true
  /** Exit code of a failure; 1 when absent. */
  readonly failureCode?: number
  /** Returns the exit code; absent means 0. Throws RuntimeError. */
  readonly handler: (invocation: Invocation<O>) => Promise<number | undefined> | number | undefined
}

/** What a handler gets. */
export interface Invocation<O extends Options> {
  readonly settings: Settings
  readonly values: Values<O>
  /** As many as `command` says. */
  readonly positionals: readonly string[]
  /** Where `settings` come from. */
  readonly given: Given
}

/** A command as its file exports it; infers the types of the values from the table of options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command
}

/** What only the verb itself needs, `() => import(...)`; a trace shows how long that takes. */
export async function load<Module>(module: () => Promise<Module>): Promise<Module> {
  const done = phaseLog('cli')
  const loaded = await module()
  done('load')
  return loaded
}
