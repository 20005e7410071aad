/** Whoever the runtime waits for may never answer: the time-outs hold there, too. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runWithFault } from '../../crash/support/fault.ts'
import { useContainers } from '../../support/containers.ts'
import { listenDeaf } from '../../support/full-socket.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { Agent } from '../../support/seccomp-agent.ts'
import type { Spec } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Short enough for a test, and long enough for everything else that start does. */
const SHORT = ['--start-timeout', '2s', '--create-timeout', '2s']

function deaf(room: boolean): string {
  const path = join(t.hostDirectory(), 'deaf.sock')
  t.defer(listenDeaf(path, { room }))
  return path
}

const notifyMkdir =
  (listenerPath: string, annotations: Record<string, string> = {}) =>
  (spec: Spec) => {
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }]
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath, syscalls }
    spec.annotations = annotations
  }

/** More than a socket holds. */
const long = { long: 'x'.repeat(1_000_000) }

describe('a seccomp agent', () => {
  it('that does not accept fails start in time, and the container can be deleted', async () => {
    const { id, pid } = await t.create({ spec: notifyMkdir(deaf(false)) })
    const result = await t.runtime([...SHORT, 'start', id])
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
    expect(result.stderr).toMatch(/^linux\.seccomp\.listenerPath: .*: nobody accepted it within 2000 ms\n$/)
    await waitFor(() => !isAlive(pid))
    await t.ok(['delete', id])
  })

  it('that does not read fails start in time', async () => {
    const { id } = await t.create({ spec: notifyMkdir(deaf(true), long) })
    const result = await t.runtime([...SHORT, 'start', id])
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
    expect(result.stderr).toMatch(/^linux\.seccomp\.listenerPath: .*: it was not read within 2000 ms\n$/)
  })

  it('that does not accept fails exec in time, and the container goes on', async () => {
    const agent = await new Agent(t).listening()
    const { id, pid } = await t.running({ spec: notifyMkdir(agent.path) })
    await agent.stop()
    rmSync(agent.path, { force: true })
    t.defer(listenDeaf(agent.path, { room: false }))
    const result = await t.runtime([...SHORT, 'exec', id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '', timedOut: false })
    expect(result.stderr).toContain('nobody accepted it within 2000 ms')
    expect(isAlive(pid)).toBe(true)
  })
})

describe.each(['--console-socket', '--pidfd-socket'])('a %s that does not accept', (flag) => {
  it('fails create in time, which leaves nothing', async () => {
    const bundle = await t.bundle({ process: { terminal: flag === '--console-socket' } })
    const args = ['create', flag, deaf(false), '--bundle', bundle.path, t.id()]
    const result = await t.runtime([...SHORT, ...args])
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
    expect(result.stderr).toMatch(/^connect to the \w+ socket .*: nobody accepted it within 2000 ms: .*\n$/)
    t.expectNothingLeft()
  })

  it('fails exec in time', async () => {
    const { id } = await t.running()
    const result = await t.runtime([...SHORT, 'exec', '--tty', flag, deaf(false), id, 'true'])
    expect(result).toMatchObject({ exitCode: 255, timedOut: false })
    expect(result.stderr).toContain('nobody accepted it within 2000 ms')
  })
})

describe('the process of exec', () => {
  requires('x64')

  // openat2: of the terminal, whose master it has not sent yet. The signal acts when the call returns.
  it.each([
    ['--tty', 'openat2'],
    ['--tty', 'close_range'],
    ['--no-new-privs', 'close_range'],
  ])('with %s that is stopped at its %s is given up in time', async (flag, name) => {
    const { id } = await t.running()
    const { result, hit } = await runWithFault(t, [...SHORT, 'exec', flag, id, 'true'], {
      watch: { role: 'launch', calls: [name] },
      fault: { at: 1, signal: 19 },
    })
    expect(hit).toBe(true)
    expect(result).toMatchObject({ exitCode: 255, timedOut: false })
    expect(result.stderr).toMatch(/: it took longer than 2000 ms\n$/)
  })

  it.each([['--detach'], ['--no-new-privs']])('with %s that is killed before it executes is an error', async (flag) => {
    const { id } = await t.running()
    const { result, hit } = await runWithFault(t, ['exec', flag, id, 'sleep', '1000'], {
      watch: { role: 'launch', calls: ['execve'] },
      fault: { at: 1, signal: 9 },
    })
    expect(hit).toBe(true)
    expect(result).toMatchObject({ exitCode: 255, timedOut: false })
    expect(result.stderr).toBe('execute sleep: the process was killed\n')
  })
})

describe('what becomes a hook', () => {
  requires('x64')

  // Whoever shares its pid namespace may stop it. The signal acts when the call returns.
  it.each([
    ['createContainer', 'setns'],
    ['createRuntime', 'dup3'],
  ])('of %s, that is stopped at its %s, fails create in time, which leaves nothing', async (point, name) => {
    const bundle = await t.bundle({
      spec: (spec) => Object.assign(spec, { hooks: { [point]: [{ path: '/bin/true' }] } }),
    })
    const { result, hit } = await runWithFault(t, [...SHORT, 'create', '--bundle', bundle.path, t.id()], {
      watch: { role: 'entering', calls: [name] },
      fault: { at: 1, signal: 19 },
    })
    expect(hit).toBe(true)
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
    expect(result.stderr).toMatch(
      /^hooks\.\w+\[0\]: \/bin\/true could not be run: .*: it took longer than 2000 ms.*\n$/,
    )
    t.expectNothingLeft()
  })
})
