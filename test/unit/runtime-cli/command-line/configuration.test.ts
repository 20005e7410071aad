import { expect, test } from 'vitest'
import { defaultsText, settingRows } from '../../../../packages/runtime-cli/src/command-line/config-text.ts'
import { toSettings } from '../../../../packages/runtime-cli/src/command-line/configuration.ts'
import { parseDefaults } from '../../../../packages/runtime-cli/src/command-line/defaults-file.ts'
import { unknownVariables } from '../../../../packages/runtime-cli/src/command-line/given.ts'
import { unknownVariable } from '../../../../packages/runtime-cli/src/command-line/variable-hints.ts'

const file = (variables: Record<string, string>) => ({ path: '/d', variables, unknown: [], problems: [] })

test('parseDefaults() takes KEY=VALUE, comments, blank lines and quotes', () => {
  const text = '# a comment\n\n  CRIO_LXC_ROOT=/run/a \nCRIO_LXC_LOG_LEVEL="debug"\nA=\'b c\'\nB=\nA=last=1\n'
  expect(parseDefaults('/d', text)).toEqual({
    variables: { CRIO_LXC_ROOT: '/run/a', CRIO_LXC_LOG_LEVEL: 'debug', A: 'last=1', B: '' },
    problems: [],
  })
})

test.each(['NO VALUE', '=x', 'export A=b', 'A="b', "A=b'", 'A="b"c"', '1A=b', '\0'])(
  'parseDefaults() names the line of %j',
  (line) => {
    expect(parseDefaults('/d', `A=b\n${line}\n`)).toEqual({
      variables: { A: 'b' },
      problems: ['/d, line 2: want KEY=VALUE, with both quotes or none'],
    })
  },
)

test('a flag goes before the environment, that before the file, that before the default', () => {
  const variables = {
    CRIO_LXC_ROOT: '/run/file',
    CRIO_LXC_MONITOR_MODE: 'resident',
    CRIO_LXC_CONTAINER_LOG_LEVEL: 'info',
  }
  const env = { CRIO_LXC_ROOT: '/run/env', CRIO_LXC_MONITOR_MODE: 'resident', CRIO_LXC_LOG_FILE: '' }
  const given = { values: { monitor: 'handover' }, env, file: file(variables) }
  expect(toSettings(given)).toMatchObject({
    root: '/run/env',
    monitorMode: 'handover',
    containerLogLevel: 'info',
    monitorCgroup: 'crio-lxc-monitor.slice',
  })
  const rows = settingRows(given).filter(({ name }) =>
    ['root', 'monitor', 'container-log-level', 'log-file'].includes(name),
  )
  expect(rows).toEqual([
    { name: 'root', value: '/run/env', from: 'CRIO_LXC_ROOT' },
    { name: 'log-file', value: '', from: 'default' },
    { name: 'container-log-level', value: 'info', from: 'CRIO_LXC_CONTAINER_LOG_LEVEL in /d' },
    { name: 'monitor', value: 'handover', from: 'flag' },
  ])
})

test('a root of the file need not be there yet, as with the default', () => {
  const given = { values: {}, env: {}, file: file({ CRIO_LXC_ROOT: '/run/file' }) }
  expect(toSettings(given)).toMatchObject({ root: '/run/file', rootIsExplicit: false })
})

test('a value of the file that is not accepted names variable and file', () => {
  const given = { values: {}, env: {}, file: file({ CRIO_LXC_START_TIMEOUT: 'soon' }) }
  expect(() => toSettings(given)).toThrow('CRIO_LXC_START_TIMEOUT in /d: ')
})

test('a variable that nothing reads is named with the one that was meant', () => {
  expect(unknownVariables({ CRIO_LXC_ROOTS: '/a', CRIO_LXC_ROOT: '/b', CRIO_LXC_DEFAULTS: '/c', PATH: '/d' })).toEqual([
    'CRIO_LXC_ROOTS',
  ])
  expect(unknownVariable('CRIO_LXC_ROOTS', 'the environment')).toBe(
    'unknown variable CRIO_LXC_ROOTS in the environment: did you mean CRIO_LXC_ROOT?',
  )
  expect(unknownVariable('CRIO_LXC_XYZZY', '/d')).toBe(
    'unknown variable CRIO_LXC_XYZZY in /d: crio-lxc config lists those that there are',
  )
})

test('the file of config --default is one, and sets nothing until a line is uncommented', () => {
  expect(parseDefaults('/d', defaultsText())).toEqual({ variables: {}, problems: [] })
  const uncommented = parseDefaults('/d', defaultsText().replace(/^#(?=CRIO_LXC_)/gm, ''))
  expect(uncommented.problems).toEqual([])
  expect(toSettings({ values: {}, env: {}, file: file({ ...uncommented.variables }) })).toEqual(
    toSettings({ values: {}, env: {} }),
  )
})
