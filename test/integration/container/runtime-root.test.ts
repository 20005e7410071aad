/** A runtime root that cannot be used, and a container in it whose state is damaged. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

describe('a root that cannot be used', () => {
  it('a file in its place fails, names it and leaves nothing', async () => {
    const bundle = await t.bundle()
    const root = join(t.hostDirectory(), 'file')
    writeFileSync(root, '')
    const result = await invoke(['--root', root, 'create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toContain(root)
    t.expectNothingLeft()
  })

  it('one below /proc fails and leaves nothing', async () => {
    const bundle = await t.bundle()
    const result = await invoke(['--root', '/proc/no-such/root', 'create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).not.toBe('')
    t.expectNothingLeft()
  })
})

describe('a damaged state', () => {
  it('fails state, kill and start with a message, and works again when it is restored', async () => {
    const { id, pid } = await t.running()
    const directory = join(t.root, id)
    const stateFile = readdirSync(directory).includes('container.json') ? 'container.json' : 'state.json'
    const original = t.read(join(directory, stateFile))
    writeFileSync(join(directory, stateFile), original.slice(0, 20))
    for (const args of [
      ['state', id],
      ['kill', id],
      ['start', id],
    ]) {
      const result = await t.runtime(args)
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).not.toBe('')
    }
    writeFileSync(join(directory, stateFile), original)
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  })
})
