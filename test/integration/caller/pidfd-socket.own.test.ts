import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { SocketReceiver } from '../../support/socket-receiver.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A listening pidfd socket. */
const pidfdSocket = (): Promise<SocketReceiver> => new SocketReceiver(t, 'pidfd-receiver').listening()

/** When the process behind the pidfd has ended. */
const ended = (socket: SocketReceiver): Promise<unknown> => waitFor(() => socket.output() === 'ended\n')

describe('--pidfd-socket', () => {
  it.each([
    ['create', []],
    ['run', ['--detach']],
  ])('%s sends a pidfd of init, one descriptor in one message', async (verb, flags) => {
    const socket = await pidfdSocket()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    await t.ok([verb, ...flags, '--bundle', bundle.path, '--pidfd-socket', socket.path, id])
    const { pid } = await t.state(id)
    expect(await socket.received()).toEqual({ text: 'standard', controlMessages: 1, fds: 1, pid })
    await t.ok(['kill', id, 'KILL'])
    await ended(socket)
  })

  it('exec sends one of its process', async () => {
    const socket = await pidfdSocket()
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    const flags = ['--detach', '--pid-file', pidFile, '--pidfd-socket', socket.path]
    await t.ok(['exec', ...flags, id, 'sleep', '1000'])
    const pid = Number(t.read(pidFile))
    expect(await socket.received()).toEqual({ text: 'setns', controlMessages: 1, fds: 1, pid })
    process.kill(pid, 'SIGKILL')
    await ended(socket)
  })

  it('that nobody listens on fails create and leaves nothing', async () => {
    const bundle = await t.bundle()
    const path = join(t.hostDirectory(), 'nobody.sock')
    const result = await t.runtime(['create', '--pidfd-socket', path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain(`connect to the pidfd socket ${path}: no such file or directory`)
    t.expectNothingLeft()
  })

  it('that nobody listens on fails exec with 255, and nothing runs', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--pidfd-socket', '/no/such/socket', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toContain('pidfd socket /no/such/socket')
  })

  it('whose receiver goes away fails create and leaves nothing', async () => {
    const path = join(t.hostDirectory(), 'closing.sock')
    const script = `require('node:net').createServer((c) => c.destroy()).listen(process.argv[1], () => console.log('up'))`
    const server = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.defer(() => void server.kill('SIGKILL'))
    await new Promise((resolve) => server.stdout.once('data', resolve))
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const result = await t.runtime(['create', '--pidfd-socket', path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/^send the pidfd of \d+ to the pidfd socket: broken pipe/)
    t.expectNothingLeft()
  })
})
