/**
 * The options before the command; configuration.ts is what becomes of them. The variables are the seed's CRIO_LXC_*. Unlike
 * the seed no log file is kept unless one is named, so that an unwritable /var/log never breaks a command.
 */

import type { Option, Options, Values } from './option.ts'

export const globalOptions = {
  root: {
    type: 'string',
    value: 'DIR',
    describe: 'directory of the state of all containers, best on a tmpfs',
    env: 'CRIO_LXC_ROOT',
    default: '/run/crio-lxc',
  },
  log: {
    type: 'string',
    value: 'FILE',
    describe: 'append errors and messages to FILE, as runc does; journald:NAME and syslog:NAME, as crun',
  },
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
  'create-hook': {
    type: 'string',
    value: 'FILE',
    describe: 'run FILE after create, also after one that failed; it learns of the container by its environment',
    env: 'CRIO_LXC_CREATE_HOOK',
  },
  'create-hook-timeout': {
    type: 'string',
    value: 'DURATION',
    describe: 'how long --create-hook may take',
    env: 'CRIO_LXC_CREATE_HOOK_TIMEOUT',
    default: '5s',
  },
  apparmor: featureGate('AppArmor profile of the spec', 'CRIO_LXC_APPARMOR'),
  capabilities: featureGate('capabilities of the spec', 'CRIO_LXC_CAPABILITIES'),
  'cgroup-devices': featureGate('device rules of the spec', 'CRIO_LXC_CGROUP_DEVICES'),
  seccomp: featureGate('seccomp filter of the spec', 'CRIO_LXC_SECCOMP'),
  'create-timeout': timeout('create', '60s'),
  'start-timeout': timeout('start', '30s'),
  'kill-timeout': timeout('kill', '10s'),
  'delete-timeout': timeout('delete', '10s'),
  version: { type: 'boolean', alias: 'v', describe: 'print the versions of program and runtime-spec' },
  help: { type: 'boolean', alias: 'h', describe: 'print this help' },
} as const satisfies Options

/** Whether something reads the variable `name` of our own. */
export function knowsVariable(name: string): boolean {
  return name === 'CRIO_LXC_DEFAULTS' || Object.values(globalOptions).some((option: Option) => option.env === name)
}

export type GlobalValues = Values<typeof globalOptions>

function featureGate(what: string, env: string) {
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
