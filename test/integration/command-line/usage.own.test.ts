import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'

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
  ])('%j', async (args, text) => {
    expectOneSentence(await t.runtime(args), text)
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

  it.each(['create', 'start', 'run', 'state', 'kill', 'delete', 'exec', 'list', 'spec', 'debug plan'])(
    '%s --help has an example',
    async (command) => {
      const { exitCode, stdout } = await invoke([...command.split(' '), '--help'])
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/Examples:/i)
    },
  )
})
