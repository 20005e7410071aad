import { describe, expect, test } from 'vitest'
import { toLogConfiguration, toSettings } from '../../../../packages/runtime-cli/src/command-line/configuration.ts'

test('toSettings() has the documented defaults with an empty environment', () => {
  expect(toSettings({ values: {}, env: {} })).toEqual({
    root: '/run/crio-lxc',
    rootIsExplicit: false,
    systemdCgroup: false,
    withoutCgroup: false,
    monitorCgroup: 'crio-lxc-monitor.slice',
    monitorMode: 'handover',
    containerLogLevel: 'warn',
    startCommand: undefined,
    initCommand: undefined,
    containerHook: undefined,
    createHook: undefined,
    logFile: undefined,
    featureGates: { seccomp: true, capabilities: true, apparmor: true, cgroupDevices: true },
    timeouts: { createMs: 60_000, startMs: 30_000, killMs: 10_000, deleteMs: 10_000, createHookMs: 5000 },
  })
})

describe('environment', () => {
  const environment = {
    CRIO_LXC_ROOT: '/run/other',
    CRIO_LXC_SYSTEMD_CGROUP: '1',
    CRIO_LXC_MONITOR_CGROUP: 'mon.slice',
    CRIO_LXC_MONITOR_MODE: 'resident',
    CRIO_LXC_CONTAINER_LOG_LEVEL: 'debug',
    CRIO_LXC_START_CMD: '/s',
    CRIO_LXC_INIT_CMD: '/i',
    CRIO_LXC_CONTAINER_HOOK: '/h',
    CRIO_LXC_CREATE_HOOK: '/c',
    CRIO_LXC_CREATE_HOOK_TIMEOUT: '700ms',
    CRIO_LXC_LOG_FILE: '/l',
    CRIO_LXC_SECCOMP: 'false',
    CRIO_LXC_CAPABILITIES: '0',
    CRIO_LXC_APPARMOR: 'F',
    CRIO_LXC_CGROUP_DEVICES: 'False',
    CRIO_LXC_CREATE_TIMEOUT: '1m30s',
    CRIO_LXC_START_TIMEOUT: '1s',
    CRIO_LXC_KILL_TIMEOUT: '2s',
    CRIO_LXC_DELETE_TIMEOUT: '500ms',
  }

  test('toSettings() takes every variable', () => {
    expect(toSettings({ values: {}, env: environment })).toEqual({
      root: '/run/other',
      rootIsExplicit: true,
      systemdCgroup: true,
      withoutCgroup: false,
      monitorCgroup: 'mon.slice',
      monitorMode: 'resident',
      containerLogLevel: 'debug',
      startCommand: '/s',
      initCommand: '/i',
      containerHook: '/h',
      createHook: '/c',
      logFile: '/l',
      featureGates: { seccomp: false, capabilities: false, apparmor: false, cgroupDevices: false },
      timeouts: { createMs: 90_000, startMs: 1000, killMs: 2000, deleteMs: 500, createHookMs: 700 },
    })
  })

  test('toSettings() prefers the flag', () => {
    const values = { root: '/run/flag', 'systemd-cgroup': false, monitor: 'handover', 'create-timeout': '3s' }
    expect(toSettings({ values, env: environment })).toMatchObject({
      root: '/run/flag',
      systemdCgroup: false,
      monitorMode: 'handover',
      timeouts: { createMs: 3000 },
    })
  })

  test('toSettings() takes an empty variable for unset', () => {
    const empty = Object.fromEntries(Object.keys(environment).map((name) => [name, '']))
    expect(toSettings({ values: {}, env: empty })).toEqual(toSettings({ values: {}, env: {} }))
  })

  test('toLogConfiguration() takes the variables of the seed, and no file by default', () => {
    expect(toLogConfiguration({ values: {}, env: {} })).toEqual({
      runcLog: undefined,
      runcFormat: 'text',
      debug: false,
      file: undefined,
      level: 'info',
      timestamp: '20060102150405.000',
    })
    const variables = { CRIO_LXC_LOG_FILE: '/l', CRIO_LXC_LOG_LEVEL: 'error', CRIO_LXC_LOG_TIMESTAMP: '15:04' }
    expect(toLogConfiguration({ values: { log: '/r', 'log-format': 'json', debug: true }, env: variables })).toEqual({
      runcLog: '/r',
      runcFormat: 'json',
      debug: true,
      file: '/l',
      level: 'error',
      timestamp: '15:04',
    })
  })
})

describe('values that are not accepted', () => {
  test.each<[object, Record<string, string>, string]>([
    [{ monitor: 'other' }, {}, 'invalid --monitor "other": want one of handover, resident'],
    [{}, { CRIO_LXC_MONITOR_MODE: 'x' }, 'invalid CRIO_LXC_MONITOR_MODE "x": want one of handover, resident'],
    [{}, { CRIO_LXC_SECCOMP: 'off' }, 'invalid boolean value "off" for CRIO_LXC_SECCOMP: want true or false'],
    [{ 'kill-timeout': '5' }, {}, '--kill-timeout: invalid duration "5": want a form like 60s, 1m30s or 500ms'],
    [{}, { CRIO_LXC_KILL_TIMEOUT: '-1s' }, 'CRIO_LXC_KILL_TIMEOUT: invalid duration "-1s": want'],
    [{ rootless: 'true' }, {}, '--rootless=true is not supported: run as root, or give auto or false'],
    [{ rootless: 'maybe' }, {}, 'invalid boolean value "maybe" for --rootless: want true or false'],
    [{ root: '' }, {}, 'invalid --root: want a directory, not an empty string'],
  ])('%j %j', (values, environment, message) => {
    expect(() => toSettings({ values, env: environment })).toThrow(message)
  })

  test.each([
    [{ 'cgroup-manager': 'systemd' }, true],
    [{ 'cgroup-manager': 'cgroupfs', 'systemd-cgroup': true }, false],
    [{ 'systemd-cgroup': true }, true],
    [{}, false],
  ])('%j: systemd manages cgroups: %s', (values, systemd) => {
    expect(toSettings({ values, env: {} }).systemdCgroup).toBe(systemd)
  })

  test('--cgroup-manager disabled: no cgroup, and so no rules for devices', () => {
    expect(toSettings({ values: { 'cgroup-manager': 'disabled', 'systemd-cgroup': true }, env: {} })).toMatchObject({
      systemdCgroup: false,
      withoutCgroup: true,
      featureGates: { cgroupDevices: false },
    })
  })

  test.each([['auto'], ['false'], ['0']])('--rootless %s is accepted', (rootless) => {
    expect(toSettings({ values: { rootless }, env: {} })).toEqual(toSettings({ values: {}, env: {} }))
  })

  test('toLogConfiguration() refuses an unknown format', () => {
    expect(() => toLogConfiguration({ values: { 'log-format': 'xml' }, env: {} })).toThrow(
      'invalid --log-format "xml": want one of text, json',
    )
  })
})
