/** What a process with a terminal prints when standard output of run and exec is no terminal, or nobody reads it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cpuMs, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { isRunc, runtimePath } from '../../support/runtime.ts'
import { onTerminal } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()
const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }

/** `run` or `exec -t` of a shell script. */
async function command(verb: 'run' | 'exec', script: string): Promise<string[]> {
  const args = ['sh', '-c', script]
  if (verb === 'exec') {
    const { id } = await t.running()
    return [runtimePath, '--root', t.root, 'exec', '-t', id, ...args]
  }
  const bundle = await t.bundle({ args, process: { terminal: true } })
  return [runtimePath, '--root', t.root, 'run', '--bundle', bundle.path, t.id()]
}

// runc clears ONLCR while the process of exec may have printed already.
describe.each(isRunc ? (['run'] as const) : (['run', 'exec'] as const))('%s with a terminal', (verb) => {
  it('puts no carriage return into a file', async () => {
    const file = join(t.hostDirectory(), 'out')
    const session = onTerminal(['sh', '-c', `"$@" >${file}`, 'sh', ...(await command(verb, 'echo one; echo two'))], {
      env,
    })
    expect(await session.exitCode).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
  })

  it('puts no carriage return into a pipe, and its terminal is otherwise as every new one', async () => {
    // runc tells the size of the terminal while the process runs already; until then stty complains of it.
    const script = 'until [ -z "$(stty -a 2>&1 >/dev/null)" ]; do sleep 0.01; done; stty -a'
    const [plain, usual] = [await command(verb, script), await command(verb, script)]
    const session = onTerminal(['sh', '-c', '"$@" | cat -v', 'sh', ...plain], { env })
    await session.exitCode
    const other = onTerminal(usual, { env })
    await other.exitCode
    expect(session.screen()).not.toContain('^M')
    const modes = (screen: string) => screen.replace(/(rows|columns) \d+/g, '').split(/[\s;]+/)
    const changed = modes(session.screen()).filter((mode) => !modes(other.screen()).includes(mode))
    expect(changed).toEqual(isRunc ? [] : ['-onlcr'])
  })
})

// runc stops passing signals on, or has to be killed.
describe.each(['run', 'exec'] as const)('%s whose output nobody reads', (verb) => {
  requires('own-runtime')
  /** The runtime with one end of a pipe as its standard output. */
  async function unread(script: string, { blocking }: { blocking: boolean }): Promise<ChildProcess & { pid: number }> {
    const fifo = join(t.hostDirectory(), 'fifo')
    await execa('mkfifo', [fifo])
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    t.defer(() => closeSync(reader))
    const writer = openSync(fifo, blocking ? constants.O_WRONLY : constants.O_WRONLY | constants.O_NONBLOCK)
    const [path = '', ...args] = await command(verb, script)
    const child = spawn(path, args, { stdio: ['ignore', writer, 'inherit'], env })
    closeSync(writer)
    t.defer(() => void child.kill('SIGKILL'))
    return child as ChildProcess & { pid: number }
  }

  it.each([true, false])('passes signals on, and costs no time (blocking: %s)', async (blocking) => {
    const child = await unread('trap "exit 9" TERM; yes & while :; do sleep 0.05; done', { blocking })
    const ended = once(child, 'exit')
    // Until the pipe, what the runtime keeps and the terminal are full.
    await delay(1000)
    const before = cpuMs(child.pid)
    await delay(1000)
    expect(cpuMs(child.pid) - before).toBeLessThan(200)
    // The first one is for the process, another one for who waits for the reader.
    await waitFor(() => {
      child.kill('SIGTERM')
      return child.exitCode !== null || child.signalCode !== null
    })
    expect(await ended).toEqual([9, null])
  })

  it('ends with a signal when the process has ended', async () => {
    const child = await unread('head -c 70000 /dev/zero', { blocking: true })
    const ended = once(child, 'exit')
    await delay(1000)
    expect(isAlive(child.pid)).toBe(true)
    await waitFor(() => {
      child.kill('SIGTERM')
      return child.exitCode !== null || child.signalCode !== null
    })
    await ended
  })
})
