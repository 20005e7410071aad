import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { invoke, runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [['frobnicate'], /unknown command "frobnicate"/],
    [['state'], /requires exactly 1 argument\(s\), got 0: <container-id>/],
    [['state', 'a', 'b'], /requires exactly 1 argument\(s\), got 2/],
    [['state', '--frob', 'a'], /not defined: --frob: see crio-lxc state --help/],
    [['--frob', 'list'], /not defined: --frob: see crio-lxc --help/],
    [['list', '--format', 'xml'], /--format "xml": want one of table, json/],
    [['--log-format', 'xml', 'list'], /--log-format "xml": want one of text, json/],
    [['--create-timeout', 'soon', 'list'], /--create-timeout: invalid duration "soon"/],
    [['kill', 'x', 'NOSUCH'], /unknown signal "NOSUCH"/],
    [['checkpoint', '--help'], /checkpoint is not supported/],
    [['--rootless', 'true', 'list'], /--rootless=true is not supported/],
    [['events', '--interval', '5', 'x'], /^--interval: invalid duration "5": want a form like /],
    [['events', '--interval', '-5s', 'x'], /^--interval: invalid duration "-5s": want /],
    [['top', '--interval', 'soon'], /^--interval: invalid duration "soon": want /],
    [['top', '--interval', '0ms'], /^--interval: duration interval must be greater than 0: give one such as 2s$/m],
    [['debug', 'plan', '--exec', '/b', 'ps', '-ef'], /not defined: -ef: put -- before a command that has options$/m],
    [['explain', 'IO'], /^unknown error code "IO": did you mean io\?$/m],
  ])('%j', async (args, text) => {
    expectOneSentence(await t.runtime(args), text)
  })
})

describe('what is handed over as a document', () => {
  it('is called what the caller calls it', async () => {
    const { id } = await t.running()
    const path = join(t.hostDirectory(), 'limits')
    writeFileSync(path, '[]')
    expectOneSentence(
      await t.runtime(['update', '--resources', '-', id]),
      /^standard input: not valid JSON at line 1, column 1: it is empty$/m,
    )
    expectOneSentence(
      await t.runtime(['update', '--resources', path, id]),
      RegExp(`^${path}: must be a JSON object$`, 'm'),
    )
    expectOneSentence(
      await t.runtime(['exec', '--process', path, id]),
      RegExp(`^${path}: must be a JSON object$`, 'm'),
      255,
    )
  })
})

describe('a full filesystem below standard output', () => {
  it.each([['--help'], ['list'], ['features'], ['config'], ['kill', '--help']])('%s %s', async (...args) => {
    const { status, stderr } = spawnSync('sh', ['-c', '"$@" >/dev/full', 'sh', runtimePath, ...args], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('write to standard output: no space left on device: free space, or inodes, on its filesystem\n')
    expect(status).toBe(1)
  })
})

describe('the stack of an error', () => {
  it('is never printed to a user', async () => {
    for (const args of [
      ['create', '--bundle', '/dev/null', t.id()],
      ['exec', '--process', '/dev/null', 'x'],
      ['list', '--format'],
    ]) {
      expect((await t.runtime(args)).stderr).not.toMatch(/^\s+at /m)
    }
  })
})

describe('output', () => {
  it('--version speaks of runtime-spec 1.3', async () => {
    expect((await invoke(['--version'])).stdout).toMatch(
      /^crio-lxc version \d+\.\d+\.\d+.*\n(commit: .+\n)?spec: 1\.3\.\d\n$/,
    )
  })

  it.each(['help', 'completion'])('%s has a help of its own', async (command) => {
    const { stdout } = await invoke([command, '--help'])
    expect(stdout).toMatch(RegExp(`^crio-lxc \\[global options\\] ${command} \\[`))
    expect((await invoke(['help', command])).stdout).toBe(stdout)
    expect((await invoke([command, '-h'])).stdout).toBe(stdout)
    expect((await invoke(['--help'])).stdout).toMatch(RegExp(`^  ${command} +\\w`, 'm'))
  })

  it.each(['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'list', 'spec', 'debug plan', 'completion'])(
    '%s --help has an example',
    async (command) => {
      const { exitCode, stdout } = await invoke([...command.split(' '), '--help'])
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/Examples:/i)
    },
  )
})
