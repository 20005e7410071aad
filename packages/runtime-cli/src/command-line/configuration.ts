/** What applies: flag, else environment, else the defaults file, else the default of global-options.ts. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { LogConfiguration } from '@crio-lxc/core/log/logger'
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
    rootIsExplicit: ['flag', 'environment'].includes(findValue(given, 'root').source),
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

function reader(given: Given) {
  const find = (name: Name): { text: string; from: string } => {
    const { text, source, variable } = findValue(given, name)
    if (source === 'environment') return { text, from: variable ?? '' }
    return { text, from: source === 'file' ? `${variable} in ${given.file?.path}` : `--${name}` }
  }
  return {
    text(name: Name): string {
      const { text, from } = find(name)
      const { choices }: Option = globalOptions[name]
      if (choices !== undefined && !choices.includes(text))
        throw new RuntimeError('usage', `invalid ${from} ${JSON.stringify(text)}: want one of ${choices.join(', ')}`)
      return text
    },
    bool(name: Name): boolean {
      const { text, from } = find(name)
      return parseGoBool(text, from)
    },
    ms(name: Name): number {
      const { text, from } = find(name)
      try {
        return parseGoDuration(text)
      } catch (error) {
        if (error instanceof RuntimeError) throw new RuntimeError('usage', `${from}: ${error.message}`)
        throw error
      }
    },
  }
}

/** undefined: --cgroup-manager does not say. */
function systemdManages(manager: string | undefined): boolean | undefined {
  return manager === undefined ? undefined : manager === 'systemd'
}

function refuseRootless(text: string): void {
  if (text !== 'auto' && parseGoBool(text, '--rootless'))
    throw new RuntimeError('unsupported', '--rootless=true is not supported: run as root, or give auto or false')
}
