/** CRI-O's own calls (internal/oci/runtime_oci.go, pkg/config): argv, environment, and how it reads the answers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Call, type CallOptions, call, decodeContainer, isGoneForCrio, quiet } from '../support/contract.ts'

requires('root')
const t = useContainers()

/** MonitorEnv and what CRI-O adds. */
const env = { CRI_O_EXTERNAL: '1', XDG_RUNTIME_DIR: '/run/user/0' }
const crio = (args: readonly string[], options: CallOptions = {}): Promise<Call> =>
  call(['--root', t.root, ...args], { env, ...options })

/** A container that prints the number of each signal it gets. */
async function listening(): Promise<Created> {
  const container = await t.running({ args: ['/probe', '--signals'] })
  await waitFor(() => container.result.output() === 'ready\n')
  return container
}

describe('CRI-O at its start', () => {
  it('--version of stdout and stderr together', async () => {
    expect((await quiet(['--version'], { env })).all).toMatch(/^\S+ version \d/)
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('features of stdout and stderr together is JSON with the versions that CRI-O asks for', async () => {
      const features = JSON.parse((await quiet(['features'], { env })).all) as Record<string, unknown>
      expect(features.ociVersionMin).toMatch(/^1\.\d+\.\d+/)
      expect(features.ociVersionMax).toMatch(/^1\.\d+\.\d+/)
      expect(features.mountOptions).toContain('rro')
    })

    it('checkpoint --help fails: CRI-O does not offer checkpoints', async () => {
      expect((await call(['checkpoint', '--help'], { env })).exitCode).not.toBe(0)
    })

    it('kill ID SIGRTMIN+3, as the image of systemd says', async () => {
      const { id, result } = await listening()
      expect(await crio(['kill', id, 'SIGRTMIN+3'])).toMatchObject({ exitCode: 0, all: '' })
      await waitFor(() => result.output() === 'ready\n37\n')
    })
  })
})

describe('CRI-O kill', () => {
  it.each([
    ['TERM', 15],
    ['SIGTERM', 15],
    ['15', 15],
    ['term', 15],
    ['SIGINT', 2],
    ['QUIT', 3],
    ['10', 10],
    ['37', 37],
  ])('kill ID %s', async (signal, number) => {
    const { id, result } = await listening()
    expect(await crio(['kill', id, signal])).toMatchObject({ exitCode: 0, all: '' })
    await waitFor(() => result.output() === `ready\n${number}\n`)
  })

  it.each(['KILL', '9'])('kill ID %s of a created container', async (signal) => {
    const { id, pid } = await t.create()
    expect(await crio(['kill', id, signal])).toMatchObject({ exitCode: 0, all: '' })
    await waitFor(() => !isAlive(pid))
  })

  it.each([['kill', 'TERM'], ['kill', 'KILL'], ['pause']])(
    '%s of a container that has stopped is "gone"',
    async (verb, ...rest) => {
      const { id } = await t.stopped()
      const result = await crio([verb, id, ...rest])
      expect(result.exitCode).toBe(1)
      expect(isGoneForCrio(result.stderr)).toBe(true)
    },
  )

  it('kill -a ID 9 of a container that has stopped is no error', async () => {
    const { id } = await t.stopped()
    expect(await crio(['kill', '-a', id, '9'])).toMatchObject({ exitCode: 0 })
  })
})

describe('CRI-O state', () => {
  it('created, running, paused, running, stopped with pid 0, gone', async () => {
    const { id, pid, bundle } = await t.create({ args: ['sleep', '1000'] })
    const state = async () => decodeContainer(JSON.parse((await crio(['state', id])).stdout))
    expect(await state()).toMatchObject({ id, pid, bundle: bundle.path, status: 'created' })
    for (const [args, status] of [
      [['start', id], 'running'],
      [['pause', id], 'paused'],
      [['resume', id], 'running'],
    ] as const) {
      expect(await crio(args)).toMatchObject({ exitCode: 0, all: '' })
      expect(await state()).toMatchObject({ pid, status })
    }
    await crio(['kill', id, 'KILL'])
    await waitFor(async () => (await state()).status === 'stopped')
    expect(await state()).toMatchObject({ pid: 0, status: 'stopped' })
    expect(await crio(['delete', '--force', id])).toMatchObject({ exitCode: 0, all: '' })
    expect(await crio(['state', id])).toMatchObject({ exitCode: 1, stdout: '' })
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it.each([[[0]], [[0, 2]], [[1]], [[1, 2]], [[0, 1, 2]]])('with descriptors %j closed', async (closed) => {
      const { id } = await t.create()
      const log = join(t.hostDirectory(), 'log')
      const through = [program('launch'), ...closed.flatMap((fd) => ['--close', String(fd)]), '--']
      const result = await t.runtime(['--log', log, 'state', id], { through, env })
      expect(result).toMatchObject({ exitCode: 0, stderr: '' })
      if (closed.includes(1)) expect(result.stdout).toBe('')
      else expect(JSON.parse(result.stdout)).toMatchObject({ id })
      // A number of stdio that is free must not become the log's.
      expect(readFileSync(log, 'utf8')).toBe('')
    })

    it('whose output cannot be written fails', async () => {
      const { id } = await t.create()
      const through = ['sh', '-c', 'exec "$@" >/dev/full', 'sh']
      const result = await t.runtime(['state', id], { through, env })
      expect(result.exitCode).toBe(1)
      expect(result.stderr).toMatch(/no space left on device/)
    })
  })
})

describe('CRI-O update', () => {
  it('update --resources - ID', async () => {
    const { id } = await t.running()
    const input = JSON.stringify({
      cpu: { shares: 512, quota: 50_000, period: 100_000 },
      memory: { limit: 67_108_864 },
    })
    expect(await crio(['update', '--resources', '-', id], { input })).toMatchObject({ exitCode: 0, all: '' })
  })

  it('with something else than JSON on stdin fails and changes nothing', async () => {
    const { id } = await t.running()
    const result = await crio(['update', '--resources', '-', id], { input: '{"memory":' })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await t.state(id)).status).toBe('running')
  })
})

describe('CRI-O exec over pipes', () => {
  async function exec(args: readonly string[], options: CallOptions = {}): Promise<Call> {
    const { id, bundle } = await t.running()
    const file = join(bundle.path, 'exec-process')
    writeFileSync(file, JSON.stringify({ ...bundle.spec.process, terminal: false, args }))
    return crio(['exec', '--process', file, id], options)
  }

  it('hands stdin to the process, to its end', async () => {
    expect((await exec(['wc', '-c'], { input: 'x'.repeat(200_000) })).stdout.trim()).toBe('200000')
  })

  it.each([0, 1, 126, 127, 254])('returns %i', async (code) => {
    expect(await exec(['sh', '-c', `echo out; exit ${code}`])).toMatchObject({ exitCode: code, stdout: 'out\n' })
  })

  it('is 255 with the reason on stderr when the program is missing', async () => {
    const result = await exec(['no-such-program'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toContain('executable file not found in $PATH')
  })

  it('is held by what the process leaves behind only as long as that has its pipes', async () => {
    const result = await exec(['sh', '-c', 'sleep 1000 >/dev/null 2>&1 </dev/null & echo started'])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'started\n' })
  })
})
