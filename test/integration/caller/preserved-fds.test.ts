/** Descriptors of the caller that the process gets, and no others. */
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { type InvokeOptions, messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

/** A shell that opens descriptors for the runtime and then becomes it. */
const opening = (script: string): InvokeOptions => ({ through: ['sh', '-c', `${script}; exec "$@"`, 'sh'] })

describe('exec --preserve-fds', () => {
  it('passes as many as it says, in order, and no more', async () => {
    const { id } = await t.running()
    const { fds } = await t.probeExec(
      id,
      ['--preserve-fds', '2'],
      opening('exec 3</etc/passwd 4</etc/group 5</etc/hostname'),
    )
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(Object.keys(fds)).toEqual(['0', '1', '2', '3', '4'])
  })

  it('fails when one of them is not open, and nothing runs', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--preserve-fds', '40', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(/40/)
  })

  it('does not take sockets of LISTEN_FDS for its own', async () => {
    const { id } = await t.running()
    const report = await t.probeExec(id, [], opening('exec 3</etc/passwd; export LISTEN_FDS=1 LISTEN_PID=$$'))
    expect(Object.keys(report.fds)).toEqual(['0', '1', '2'])
    expect(report.env.join(' ')).not.toContain('LISTEN_')
  })
})

describe('sockets of a service manager (LISTEN_FDS)', () => {
  const listening = (count: number, more = ''): InvokeOptions =>
    opening(`exec 3</etc/passwd 4</etc/group; export LISTEN_FDS=${count} LISTEN_PID=$$ ${more}`)

  it('run passes them on and tells the process', async () => {
    const { fds, env } = await t.probe({}, listening(2))
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=2', 'LISTEN_PID=1']))
  })

  it('those of --preserve-fds follow', async () => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const result = await t.run(bundle, { ...listening(1), flags: ['--preserve-fds', '1'] })
    const { fds, env } = parseProbe(result.stdout)
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(Object.keys(fds)).toHaveLength(5)
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=1', 'LISTEN_PID=1']))
  })

  it('create does the same', async () => {
    const { id, result } = await t.create({ args: ['/probe'] }, listening(2))
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    const { fds, env } = parseProbe(result.output())
    expect(fds).toMatchObject({ 3: '/etc/passwd', 4: '/etc/group' })
    expect(env).toEqual(expect.arrayContaining(['LISTEN_FDS=2', 'LISTEN_PID=1']))
  })

  it('they are left alone when they are for another process', async () => {
    const { fds, env } = await t.probe({}, listening(2, 'LISTEN_PID=1'))
    expect(Object.keys(fds)).toEqual(['0', '1', '2'])
    expect(env.join(' ')).not.toContain('LISTEN_')
  })
})
