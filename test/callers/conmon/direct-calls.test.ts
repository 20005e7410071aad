/** CRI-O's own calls of the runtime, each with an empty environment: no PATH, no HOME. */

import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { isRunc, runtimePath } from '../../support/runtime.ts'
import { shareWithHost } from '../../support/spec.ts'
import { onTerminal } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'
import { readLog } from '../support/cri-log.ts'
import { useCrio } from '../support/crio.ts'

const crio = useCrio()
const sleeping = { args: ['sleep', '1000'] }

it('--version: what CRI-O reads of stdout and stderr together', async () => {
  const { all } = await execa(runtimePath, ['--version'], { env: {}, extendEnv: false, all: true })
  expect(all).toMatch(isRunc ? /^runc version / : /^crio-lxc /)
})

describe('state', () => {
  it('goes from created through running to stopped with pid 0', async () => {
    const container = await crio.create({ args: ['sleep', '1000'] })
    const { id, bundle } = container
    const created = await crio.state(id)
    expect(created).toMatchObject({ id, status: 'created', bundle: bundle.path, pid: container.record.pid })
    expect(created.annotations).toMatchObject({ 'io.kubernetes.cri-o.ContainerType': 'container' })
    expect(created.ociVersion).toMatch(/^1\.\d+\.\d+/)
    expect(Date.parse(created.created ?? '')).toBeGreaterThan(Date.now() - 60_000)
    await crio.runtime('start', id)
    expect((await crio.state(id)).status).toBe('running')
    await crio.runtime('kill', id, 'KILL')
    await crio.exitCode(container)
    expect(await crio.state(id)).toMatchObject({ id, status: 'stopped', pid: 0, bundle: bundle.path })
  })

  it('fails for an id that does not exist', async () => {
    const result = await crio.runtime('state', 'callers-no-such-container')
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('does not exist') })
  })
})

describe('start', () => {
  it('fails on a container that runs', async () => {
    const { id } = await crio.start(sleeping)
    expect((await crio.runtime('start', id)).exitCode).toBe(1)
    expect((await crio.state(id)).status).toBe('running')
  })

  it('fails on a container that has stopped', async () => {
    const container = await crio.start({ args: ['true'] })
    await crio.exitCode(container)
    const result = await crio.runtime('start', container.id)
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('cannot start a container that has stopped'),
    })
  })
})

describe('kill', () => {
  it('returns at once, whether or not the process ends', async () => {
    const container = await crio.start({ args: ['sh', '-c', 'trap "" TERM; sleep 1000'] })
    expect(await crio.runtime('kill', container.id, '15')).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await crio.state(container.id)).status).toBe('running')
    expect(await crio.runtime('kill', container.id, 'KILL')).toMatchObject({ exitCode: 0 })
    expect(await crio.exitCode(container)).toBe('137')
  })

  it('of a stopped container fails with words that CRI-O takes for "already gone"', async () => {
    const container = await crio.start({ args: ['true'] })
    await crio.exitCode(container)
    const result = await crio.runtime('kill', container.id, 'TERM')
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/container not running|no such process/)
  })

  it('refuses a signal that is none', async () => {
    const { id } = await crio.start(sleeping)
    const result = await crio.runtime('kill', id, 'SIGNOTHING')
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('SIGNOTHING') })
  })

  it('-a ends every process of a container in the pid namespace of the host', async () => {
    const container = await crio.start({
      args: ['sh', '-c', 'sleep 5432 & echo $!; exec sleep 1000'],
      spec: (spec) => shareWithHost(spec, 'pid'),
    })
    const child = Number(await waitFor(() => readLog(container.files.log).stdout.trim() || undefined))
    expect(isAlive(child)).toBe(true)
    expect(await crio.runtime('kill', '-a', container.id, '9')).toMatchObject({ exitCode: 0 })
    await waitFor(() => !isAlive(child))
    expect(await crio.exitCode(container)).toBe('137')
  })
})

describe('delete --force', () => {
  it('of a running container', async () => {
    const { id, record } = await crio.start(sleeping)
    expect(await crio.runtime('delete', '--force', id)).toMatchObject({ exitCode: 0, stderr: '' })
    await waitFor(() => !isAlive(record.pid ?? 0))
    expect(await crio.runtime('state', id)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('does not exist'),
    })
  })

  it('of a container that is gone is no error', async () => {
    const { id } = await crio.start(sleeping)
    await crio.runtime('delete', '--force', id)
    expect(await crio.runtime('delete', '--force', id)).toMatchObject({ exitCode: 0 })
  })
})

describe('exec --process FILE', () => {
  it('is not detached: output and exit code are its own', async () => {
    const container = await crio.start(sleeping)
    const file = crio.processFile(container, ['sh', '-c', 'echo out; echo err >&2; exit 7'])
    const result = await crio.runtime('exec', '--process', file, container.id)
    expect(result).toEqual({ exitCode: 7, stdout: 'out', stderr: 'err' })
  })

  it('with terminal uses the terminal that it was called on', async () => {
    const container = await crio.start(sleeping)
    const file = crio.processFile(container, ['sh', '-c', 'tty; read word; echo "got $word"; exit 5'], {
      terminal: true,
    })
    const session = onTerminal([runtimePath, '--root', crio.root, 'exec', '--process', file, container.id], { env: {} })
    await session.shows(/\/dev\/pts\/\d+\r\n/)
    session.type('hello\r')
    await session.shows('got hello\r\n')
    expect(await session.exitCode).toBe(5)
  })
})
