import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [['frobnicate'], /unknown command.*frobnicate/i],
    [['state'], /container.?id|id/i],
    [['state', 'a', 'b'], /argument|b/],
    [['state', '--frob', 'a'], /--frob/],
    [['--frob', 'list'], /--frob/],
    [['list', '--format', 'xml'], /xml/],
    [['--log-format', 'xml', 'list'], /xml/],
    [['--create-timeout', 'soon', 'list'], /soon/],
    [['kill', 'x', 'NOSUCH'], /does not exist|NOSUCH/],
    [['checkpoint', '--help'], /checkpoint/],
    [['--rootless', 'true', 'list'], /rootless/],
  ])('%j', async (args, text) => {
    const result = await t.runtime(args)
    expect(result.exitCode).toBe(1)
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(text)
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

  it('an unknown command exits 1 and is named', async () => {
    const result = await invoke(['frobnicate'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/unknown command.*frobnicate/)
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
