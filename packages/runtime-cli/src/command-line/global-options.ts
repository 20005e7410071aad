/**
 * The options before the command, and what becomes of them: flag, else environment, else default. The variables are
 * the seed's CRIO_LXC_*. Unlike the seed no log file is kept unless one is named, so that an unwritable /var/log
 * never breaks a command.
 */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { LogConfiguration } from '@crio-lxc/core/log/logger'
import { absolutePath } from '@crio-lxc/core/sys/program'
import type { MonitorMode, Settings } from '../settings.ts'
import { parseGoBool } from './go-bool.ts'
import { parseGoDuration } from './go-duration.ts'
import type { Option, Options, Values } from './option.ts'

export const globalOptions = {
  root: {
    type: 'string',
    value: 'DIR',
    describe: 'directory of the state of all containers, best on a tmpfs',
    env: 'CRIO_LXC_ROOT',
    default: '/run/crio-lxc',
  },
  log: { type: 'string', value: 'FILE', describe: 'append errors and messages to FILE, as runc does' },
  'log-format': { type: 'string', describe: 'format of --log', choices: ['text', 'json'], default: 'text' },
  debug: { type: 'boolean', describe: 'log debug messages, print the stack of internal errors' },
  'systemd-cgroup': {
    type: 'boolean',
    describe: 'cgroupsPath has the form slice:prefix:name',
    env: 'CRIO_LXC_SYSTEMD_CGROUP',
    default: 'false',
  },
  'cgroup-manager': {
    type: 'string',
    describe:
      "crun's spelling: systemd is --systemd-cgroup; disabled, as podman --cgroups=disabled has it, makes no cgroup",
    choices: ['cgroupfs', 'systemd', 'disabled'],
  },
  criu: { type: 'string', value: 'FILE', describe: 'accepted for callers of runc: there is no checkpoint' },
  rootless: {
    type: 'string',
    value: 'true|false|auto',
    describe: 'accepted for callers of runc; true is refused, as the runtime needs root',
    default: 'auto',
  },
  'log-file': {
    type: 'string',
    value: 'FILE',
    describe: 'append JSON lines with the fields l m c cid cmd t to FILE; none by default',
    env: 'CRIO_LXC_LOG_FILE',
  },
  'log-level': {
    type: 'string',
    describe: 'least level of --log-file',
    env: 'CRIO_LXC_LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic', 'disabled'],
    default: 'info',
  },
  'log-timestamp': {
    type: 'string',
    value: 'LAYOUT',
    describe: "Go's layout of the time in --log-file, UTC",
    env: 'CRIO_LXC_LOG_TIMESTAMP',
    default: '20060102150405.000',
  },
  trace: {
    type: 'string',
    value: 'FILE',
    describe: 'append how long everything takes to FILE, for Perfetto or chrome://tracing',
    env: 'CRIO_LXC_TRACE',
  },
  'container-log-level': {
    type: 'string',
    describe: "level of liblxc's own log of a container",
    env: 'CRIO_LXC_CONTAINER_LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'fatal'],
    default: 'warn',
  },
  'monitor-cgroup': {
    type: 'string',
    value: 'PATH',
    describe: 'cgroup of the monitors that stay (--monitor resident)',
    env: 'CRIO_LXC_MONITOR_CGROUP',
    default: 'crio-lxc-monitor.slice',
  },
  monitor: {
    type: 'string',
    describe: "init's parent after create: the caller, or a monitor that stays",
    env: 'CRIO_LXC_MONITOR_MODE',
    choices: ['handover', 'resident'],
    default: 'handover',
  },
  'start-cmd': {
    type: 'string',
    value: 'FILE',
    describe: 'use FILE in place of libexec/crio-lxc/crio-lxc-start',
    env: 'CRIO_LXC_START_CMD',
  },
  'init-cmd': {
    type: 'string',
    value: 'FILE',
    describe: 'use FILE in place of libexec/crio-lxc/crio-lxc-init',
    env: 'CRIO_LXC_INIT_CMD',
  },
  'container-hook': {
    type: 'string',
    value: 'FILE',
    describe: 'use FILE in place of libexec/crio-lxc/crio-lxc-hook',
    env: 'CRIO_LXC_CONTAINER_HOOK',
  },
  apparmor: gate('AppArmor profile of the spec', 'CRIO_LXC_APPARMOR'),
  capabilities: gate('capabilities of the spec', 'CRIO_LXC_CAPABILITIES'),
  'cgroup-devices': gate('device rules of the spec', 'CRIO_LXC_CGROUP_DEVICES'),
  seccomp: gate('seccomp filter of the spec', 'CRIO_LXC_SECCOMP'),
  'create-timeout': timeout('create', '60s'),
  'start-timeout': timeout('start', '30s'),
  'kill-timeout': timeout('kill', '10s'),
  'delete-timeout': timeout('delete', '10s'),
  version: { type: 'boolean', alias: 'v', describe: 'print the versions of program and runtime-spec' },
  help: { type: 'boolean', alias: 'h', describe: 'print this help' },
} as const satisfies Options

export type GlobalValues = Values<typeof globalOptions>

type Environment = Readonly<Record<string, string | undefined>>

function gate(what: string, env: string) {
  return {
    type: 'boolean',
    describe: `apply the ${what}; =false ignores that part of the spec`,
    env,
    default: 'true',
  } as const satisfies Option
}

function timeout<V extends string, D extends string>(verb: V, value: D) {
  return {
    type: 'string',
    value: 'DURATION',
    describe: `how long ${verb} may take`,
    env: `CRIO_LXC_${verb.toUpperCase() as Uppercase<V>}_TIMEOUT`,
    default: value,
  } as const satisfies Option
}

/** The settings of this process. Throws RuntimeError for a value that is not accepted, naming flag or variable. */
export function toSettings(values: GlobalValues, env: Environment): Settings {
  const { text, bool, ms } = reader(values, env)
  refuseRootless(text('rootless'))
  const withoutCgroup = values['cgroup-manager'] === 'disabled'
  const root = text('root')
  if (root === '') throw new RuntimeError('usage', 'invalid --root: want a directory, not an empty string')
  return {
    root: absolutePath(root),
    rootIsExplicit: values.root !== undefined || Boolean(env[globalOptions.root.env]),
    systemdCgroup: systemdManages(values['cgroup-manager']) ?? bool('systemd-cgroup'),
    withoutCgroup,
    monitorCgroup: text('monitor-cgroup'),
    monitorMode: text('monitor') as MonitorMode,
    containerLogLevel: text('container-log-level'),
    startCommand: text('start-cmd') || undefined,
    initCommand: text('init-cmd') || undefined,
    containerHook: text('container-hook') || undefined,
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
    },
  }
}

/** Where messages go, known before the settings so that a bad setting is logged as well. */
export function toLogConfiguration(values: GlobalValues, env: Environment): LogConfiguration {
  const { text } = reader(values, env)
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

type Name = keyof typeof globalOptions

function reader(values: GlobalValues, env: Environment) {
  /** The text and where it comes from, for messages. */
  const find = (name: Name): { text: string; from: string } => {
    const option: Option = globalOptions[name]
    const given = values[name]
    if (given !== undefined) return { text: String(given), from: `--${name}` }
    const variable = option.env === undefined ? undefined : env[option.env]
    if (variable) return { text: variable, from: option.env ?? '' }
    return { text: option.default ?? '', from: `--${name}` }
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
