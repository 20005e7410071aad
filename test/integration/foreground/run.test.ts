import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** The process is the probe, and has come as far as to wait for signals. */
const awaitsSignals = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/comm`, 'utf8') === 'probe\n' &&
  /^State:\s+S/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

describe('run', () => {
  it.each([0, 1, 7, 126, 127, 255])('returns exit code %i of the process', async (code) => {
    expect(await t.run({ args: ['sh', '-c', `exit ${code}`] })).toMatchObject({ exitCode: code })
  })

  it('returns 137 when SIGKILL ends the process', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const ended = t.runtime(['run', '--bundle', bundle.path, id])
    await waitFor(async () => (await t.stateOrNone(id))?.status === 'running')
    await t.ok(['kill', id, 'KILL'])
    expect(await ended).toMatchObject({ exitCode: 137 })
  })

  it('passes stdout and stderr through, apart', async () => {
    const result = await t.run({ args: ['sh', '-c', 'echo out; echo err >&2'] })
    expect([result.stdout, result.stderr]).toEqual(['out\n', 'err\n'])
  })

  it('passes stdin through to its end', async () => {
    const result = await t.run({ args: ['sh', '-c', 'wc -c'] }, { input: 'x'.repeat(200_000) })
    expect(result.stdout.trim()).toBe('200000')
  })

  it('passes binary output unchanged', async () => {
    const result = await t.run({ args: ['sh', '-c', 'head -c 1000000 /dev/zero | tr "\\000" x'] })
    expect(result.stdout).toBe('x'.repeat(1_000_000))
  })

  it('deletes the container at the end', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    await t.ok(['run', '--bundle', bundle.path, id])
    expect(await t.stateOrNone(id)).toBeUndefined()
    t.expectNothingLeft()
  })

  it('--keep leaves the stopped container', async () => {
    const bundle = await t.bundle({ args: ['sh', '-c', 'exit 3'] })
    const id = t.id()
    expect(await t.runtime(['run', '--keep', '--bundle', bundle.path, id])).toMatchObject({ exitCode: 3 })
    expect(await t.state(id)).toMatchObject({ status: 'stopped', pid: 0 })
  })

  it.each(['--detach', '-d'])('%s returns while the container runs', async (flag) => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['run', flag, '--pid-file', pidFile, '--bundle', bundle.path, id])
    const state = await t.state(id)
    expect(state.status).toBe('running')
    expect(readFileSync(pidFile, 'utf8')).toBe(String(state.pid))
  })

  it('--detach keeps the container after its end', async () => {
    const bundle = await t.bundle({ args: ['echo', 'done'] })
    const id = t.id()
    const result = await t.ok(['run', '--detach', '--bundle', bundle.path, id])
    await t.waitForStatus(id, 'stopped')
    expect(result.output()).toBe('done\n')
  })

  it('forwards SIGTERM to the process and returns its code', async () => {
    const bundle = await t.bundle({ args: ['/probe', '--exit-on-signal', '9'] })
    const id = t.id()
    const controller = new AbortController()
    const pidFile = join(t.hostDirectory(), 'pid')
    // The shell becomes the runtime, so its pid is known.
    const ended = t.runtime(['run', '--bundle', bundle.path, id], {
      through: ['/bin/sh', '-c', `echo $$ > ${pidFile}; exec "$@"`, 'sh'],
      cancelSignal: controller.signal,
    })
    t.defer(() => controller.abort())
    await waitFor(async () => {
      const found = await t.stateOrNone(id)
      return found?.status === 'running' && awaitsSignals(found.pid)
    })
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM')
    expect(await ended).toMatchObject({ exitCode: 9 })
  })

  it('forwards real-time signals', async () => {
    const bundle = await t.bundle({ args: ['/probe', '--signals'] })
    const id = t.id()
    const directory = t.hostDirectory()
    const [pidFile, output] = [join(directory, 'pid'), join(directory, 'output')]
    const ended = t.runtime(['run', '--bundle', bundle.path, id], {
      through: ['/bin/sh', '-c', `echo $$ > ${pidFile}; exec "$@" > ${output}`, 'sh'],
    })
    t.defer(async () => {
      if ((await t.stateOrNone(id))?.status === 'running') await t.runtime(['kill', id, 'KILL'])
    })
    const arrived = (line: string): Promise<unknown> =>
      waitFor(() => existsSync(output) && readFileSync(output, 'utf8').split('\n').includes(line))
    await arrived('ready')
    for (const signal of [37, 48, 64]) {
      process.kill(Number(readFileSync(pidFile, 'utf8')), signal)
      await arrived(String(signal))
    }
    await t.ok(['kill', id, 'KILL'])
    expect(await ended).toMatchObject({ exitCode: 137 })
  })

  it('needs no more than 48 descriptors', async () => {
    const bundle = await t.bundle({ args: ['echo', 'done'], process: { rlimits: [] } })
    const through = ['prlimit', '--nofile=48:48', '--']
    const result = await t.runtime(['run', '--bundle', bundle.path, t.id()], { through })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
  })

  it('fails with 1 and leaves nothing when the process cannot be made', async () => {
    const result = await t.run({ args: ['no-such-program'] })
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/exec: "no-such-program": executable file not found in \$PATH/)
    t.expectNothingLeft()
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it.each(['SIGTERM', 'SIGINT', 40] as const)(
      'is not ended by signal %s while it removes the container',
      async (signal) => {
        const directory = t.hostDirectory()
        const [pidFile, inHook, done] = ['pid', 'in-hook', 'done'].map((name) => join(directory, name)) as [
          string,
          string,
          string,
        ]
        const bundle = await t.bundle({
          args: ['sh', '-c', 'exit 7'],
          spec: (spec) => {
            const script = `touch ${inHook}; sleep 0.5; touch ${done}`
            spec.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] }] }
          },
        })
        const ended = t.runtime(['run', '--bundle', bundle.path, t.id()], {
          through: ['/bin/sh', '-c', `echo $$ > ${pidFile}; exec "$@"`, 'sh'],
        })
        await waitFor(() => existsSync(inHook))
        process.kill(Number(readFileSync(pidFile, 'utf8')), signal)
        expect(await ended).toMatchObject({ exitCode: 7 })
        expect(existsSync(done)).toBe(true)
      },
    )

    it('keeps a SIGTERM that comes while it creates for the process, and deletes the container', async () => {
      const directory = t.hostDirectory()
      const [pidFile, inHook] = [join(directory, 'pid'), join(directory, 'in-hook')]
      const bundle = await t.bundle({
        args: ['/probe', '--signals'],
        spec: (spec) => {
          const script = `touch ${inHook}; sleep 0.5`
          spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] }] }
        },
      })
      const id = t.id()
      const ended = t.runtime(['run', '--bundle', bundle.path, id], {
        through: ['/bin/sh', '-c', `echo $$ > ${pidFile}; exec "$@"`, 'sh'],
      })
      await waitFor(() => existsSync(inHook))
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM')
      await waitFor(async () => (await t.stateOrNone(id))?.status === 'running')
      await t.ok(['kill', id, 'KILL'])
      const { exitCode, stdout } = await ended
      expect(exitCode).toBe(137)
      expect(stdout).toBe('ready\n15\n')
      expect(await t.stateOrNone(id)).toBeUndefined()
    })
  })
})
