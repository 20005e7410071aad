import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A listening pidfd socket. */
class PidfdSocket {
  readonly path = join(t.hostDirectory(), 'pidfd.sock')
  readonly #child: ChildProcess
  #text = ''

  constructor() {
    this.#child = spawn(program('pidfd-receiver'), [this.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#text += data.toString()
    })
    t.defer(() => void this.#child.kill('SIGKILL'))
  }

  async listening(): Promise<this> {
    await waitFor(() => this.#text.startsWith('listening\n'))
    return this
  }

  async received(): Promise<unknown> {
    return JSON.parse(await waitFor(() => /^\{.*\}$/m.exec(this.#text)?.[0]))
  }

  /** When the process behind the pidfd has ended. */
  ended(): Promise<unknown> {
    return waitFor(() => this.#text.endsWith('ended\n'))
  }
}

describe('--pidfd-socket', () => {
  it.each([
    ['create', []],
    ['run', ['--detach']],
  ])('%s sends a pidfd of init, one descriptor in one message', async (verb, flags) => {
    const socket = await new PidfdSocket().listening()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    await t.ok([verb, ...flags, '--bundle', bundle.path, '--pidfd-socket', socket.path, id])
    const { pid } = await t.state(id)
    expect(await socket.received()).toEqual({ text: 'standard', controlMessages: 1, fds: 1, pid })
    await t.ok(['kill', id, 'KILL'])
    await socket.ended()
  })

  it('exec sends one of its process', async () => {
    const socket = await new PidfdSocket().listening()
    const { id } = await t.running()
    const pidFile = join(t.hostDirectory(), 'pid')
    const flags = ['--detach', '--pid-file', pidFile, '--pidfd-socket', socket.path]
    await t.ok(['exec', ...flags, id, 'sleep', '1000'])
    const pid = Number(t.read(pidFile))
    expect(await socket.received()).toEqual({ text: 'setns', controlMessages: 1, fds: 1, pid })
    process.kill(pid, 'SIGKILL')
    await socket.ended()
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
