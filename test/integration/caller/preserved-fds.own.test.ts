import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
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

  it('nor in the gaps between those that are open', async () => {
    const through = ['sh', '-c', 'exec 4</etc/passwd 9</etc/group; exec "$@"', 'sh']
    const directory = t.hostDirectory()
    const logs = ['--log', join(directory, 'log'), '--log-file', join(directory, 'file')]
    const numbers = ['0', '1', '2', '4', '9']
    const { id } = await t.running()
    const report = await t.runtime([...logs, 'exec', '--preserve-fds', '7', id, '/probe'], { through })
    expect(Object.keys(parseProbe(report.stdout).fds)).toEqual(numbers)
    const bundle = await t.bundle({ args: ['/probe'] })
    const ran = await t.runtime([...logs, 'run', '--preserve-fds', '7', '--bundle', bundle.path, t.id()], { through })
    expect(Object.keys(parseProbe(ran.stdout).fds)).toEqual(numbers)
  })

  it('a socket of LISTEN_FDS may not be missing', async () => {
    const through = ['sh', '-c', 'exec 4</etc/passwd; export LISTEN_FDS=2 LISTEN_PID=$$; exec "$@"', 'sh']
    const bundle = await t.bundle()
    const result = await t.runtime(['run', '--bundle', bundle.path, t.id()], { through })
    expect(messageOf(result)).toBe('preserve 2 file descriptors: 3 is not open: open all from 3 on')
  })

  it('one too many is refused, whatever took its number', async () => {
    const { id } = await t.running()
    const through = ['sh', '-c', 'exec 3</etc/passwd 4</etc/group; exec "$@"', 'sh']
    const result = await t.runtime(['exec', '--preserve-fds', '3', id, '/probe'], { through })
    expect(messageOf(result)).toBe('preserve 3 file descriptors: 5 is not open: open all from 3 on')
  })
})
