import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('--preserve-fds never passes a descriptor of the runtime', () => {
  it.each([1, 2, 3, 10])('exec --preserve-fds %i without one', async (count) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--preserve-fds', String(count), id, '/probe'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toBe(`preserve ${count} file descriptors: 3 is not open: open all from 3 on`)
  })

  it.each(['create', 'run'])('%s --preserve-fds 3 without one, with log files', async (verb) => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const directory = t.hostDirectory()
    const logs = ['--log', join(directory, 'log'), '--log-file', join(directory, 'file')]
    const result = await t.runtime([...logs, verb, '--preserve-fds', '3', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toContain('preserve 3 file descriptors: 3 is not open')
    t.expectNothingLeft()
  })

  it('one too many is refused, whatever took its number', async () => {
    const { id } = await t.running()
    const through = ['sh', '-c', 'exec 3</etc/passwd 4</etc/group; exec "$@"', 'sh']
    const result = await t.runtime(['exec', '--preserve-fds', '3', id, '/probe'], { through })
    expect(messageOf(result)).toBe('preserve 3 file descriptors: 5 is not open: open all from 3 on')
  })
})
