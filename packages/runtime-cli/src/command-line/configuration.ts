/** What applies: flag, else environment, else the defaults file, else the default of global-options.ts. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { LogConfiguration } from '@crio-lxc/core/host/log/logger'
import { absolutePath } from '@crio-lxc/core/sys/program'
import type { MonitorMode, Settings } from '../settings.ts'
import { type GlobalValues, globalOptions } from './global-options.ts'
import { parseGoBool } from './go-bool.ts'
import { parseGoDuration } from './go-duration.ts'
import type { Option } from './option.ts'

/** What a defaults file says; without variables when something is wrong with it. */
export interface DefaultsFile {
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
  /** Names that nothing reads. */
  readonly unknown: readonly string[]
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[]
}

/** Where values come from. */
export interface Given {
  readonly values: GlobalValues
  /** environ(7); an empty variable counts as unset. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly file?: DefaultsFile | undefined
}

export type Name = keyof typeof globalOptions

export interface Value {
  /** In the spelling of the command line. */
  readonly text: string
  readonly source: 'flag' | 'environment' | 'file' | 'default'
  /** The variable, when the option has one. */
  readonly variable?: string | undefined
}

export function findValue({ values, env, file }: Given, name: Name): Value {
  const { env: variable, default: text = '' }: Option = globalOptions[name]
  const given = values[name]
  if (given !== undefined) return { text: String(given), source: 'flag', variable }
  const set = variable === undefined ? undefined : env[variable]
  if (set) return { text: set, source: 'environment', variable }
  const inFile = variable === undefined ? undefined : file?.variables[variable]
  if (inFile) return { text: inFile, source: 'file', variable }
  return { text, source: 'default', variable }
}

/** The settings of this process. Throws RuntimeError for a value that is not accepted, naming flag or variable. */
export function toSettings(given: Given): Settings {
  const { text, bool, ms } = reader(given)
  const { values } = given
  refuseRootless(text('rootless'))
  const withoutCgroup = values['cgroup-manager'] === 'disabled'
  const root = text('root')
  if (root === '') throw new RuntimeError('usage', 'invalid --root: want a directory, not an empty string')
  return {
    root: absolutePath(root),
    rootIsExplicit: values.root !== undefined || Boolean(given.env[globalOptions.root.env]),
    systemdCgroup: systemdManages(values['cgroup-manager']) ?? bool('systemd-cgroup'),
    withoutCgroup,
    monitorCgroup: text('monitor-cgroup'),
    monitorMode: text('monitor') as MonitorMode,
    containerLogLevel: text('container-log-level'),
    startCommand: text('start-cmd') || undefined,
    initCommand: text('init-cmd') || undefined,
    containerHook: text('container-hook') || undefined,
    createHook: text('create-hook') || undefined,
    logFile: text('log-file') || undefined,
    featureGates: {
      seccomp: bool('seccomp'),
      capabilities: bool('capabilities'),
      apparmor: bool('apparmor'),
      // Rules for devices are a cgroup's.
      cgroupDevices: bool('cgroup-devices') && !withoutCgroup,
    },
    timeouts: {
      createMs: ms('create-timeout'),
      startMs: ms('start-timeout'),
      killMs: ms('kill-timeout'),
      deleteMs: ms('delete-timeout'),
      createHookMs: ms('create-hook-timeout'),
    },
  }
}

/** Where messages go, known before the settings so that a bad setting is logged as well. */
export function toLogConfiguration(given: Given): LogConfiguration {
  const { text } = reader(given)
  const { values } = given
  return {
    runcLog: values.log || undefined,
    runcFormat: text('log-format') as 'text' | 'json',
    debug: values.debug ?? false,
    file: text('log-file') || undefined,
    level: text('log-level') as LogConfiguration['level'],
    timestamp: text('log-timestamp'),
    trace: text('trace') || undefined,
  }
}

/** Every verb reads all of them: where a value comes from is asked for only when it is refused. */
function reader(given: Given) {
  return {
    text(name: Name): string {
      const text = textOf(given, name)
      const { choices }: Option = globalOptions[name]
      if (choices !== undefined && !choices.includes(text)) {
        const problem = `invalid ${sourceOf(given, name, ` ${JSON.stringify(text)}`)}`
        throw new RuntimeError('usage', `${problem}: want one of ${choices.join(', ')}`)
      }
      return text
    },
    bool(name: Name): boolean {
      const text = textOf(given, name)
      if (text === 'true') return true
      return text === 'false' ? false : parseGoBool(text, sourceOf(given, name))
    },
    ms(name: Name): number {
      try {
        return parseGoDuration(textOf(given, name))
      } catch (error) {
        if (error instanceof RuntimeError) throw new RuntimeError('usage', `${sourceOf(given, name)}: ${error.message}`)
        throw error
      }
    },
  }
}

/** The text of findValue alone. */
function textOf({ values, env, file }: Given, name: Name): string {
  const given = values[name]
  if (given !== undefined) return String(given)
  const { env: variable, default: text = '' }: Option = globalOptions[name]
  return variable === undefined ? text : env[variable] || file?.variables[variable] || text
}

/** As a person writes it: the flag, the variable, or the variable in the defaults file. */
function sourceOf(given: Given, name: Name, value = ''): string {
  const { source, variable } = findValue(given, name)
  if (source === 'environment') return `${variable}${value}`
  return source === 'file' ? `${variable}${value} in ${given.file?.path}` : `--${name}${value}`
}

/** undefined: --cgroup-manager does not say. */
function systemdManages(manager: string | undefined): boolean | undefined {
  return manager === undefined ? undefined : manager === 'systemd'
}

function refuseRootless(text: string): void {
  if (text !== 'auto' && parseGoBool(text, '--rootless'))
    throw new RuntimeError('unsupported', '--rootless=true is not supported: run as root, or give auto or false')
}
