import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { commandLines } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

describe('a pid file that cannot be written', () => {
  it('fails exec with 255 and ends the process', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--detach', '--pid-file', '/no/such/directory/pid', id, 'sleep', '7654'])
    expect(result.exitCode).toBe(255)
    expect(messageOf(result)).toMatch(/no such file or directory/)
    expect([...commandLines().values()]).not.toContain('sleep 7654')
  })

  it.each(['create', 'run'])('fails %s and leaves nothing', async (verb) => {
    const bundle = await t.bundle({ args: ['sleep', '7655'] })
    const result = await t.runtime([verb, '--pid-file', '/no/such/directory/pid', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/no such file or directory/)
    t.expectNothingLeft()
  })
})

describe('a pid file', () => {
  it('fails create and leaves nothing', async () => {
    const bundle = await t.bundle()
    const pidFile = join(t.hostDirectory(), 'missing', 'pid')
    const result = await t.runtime(['create', '--pid-file', pidFile, '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toContain('no such file or directory')
    t.expectNothingLeft()
  })
})
