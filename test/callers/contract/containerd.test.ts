/** The shim of containerd 1.6 and go-runc, call by call: argv, environment, log file and decoders. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { childrenOf, isAlive, namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { shareWithHost } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'
import {
  atoi,
  type Call,
  type CallOptions,
  call,
  decodeContainer,
  killError,
  lastRuntimeError,
  quiet,
} from '../support/contract.ts'

requires('root')
const t = useContainers()

/** What the shim has from containerd. */
const env = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  GOMAXPROCS: '4',
  MAX_SHIM_VERSION: '2',
  NAMESPACE: 'k8s.io',
  TTRPC_ADDRESS: '/run/containerd/containerd.sock.ttrpc',
}

interface Shim {
  readonly id: string
  readonly bundle: string
  readonly pid: number
  readonly log: string
  readonly runc: (args: readonly string[], options?: CallOptions) => Promise<Call>
}

/** go-runc's Create, with the root of a namespace of containerd's and the bundle as working directory. */
async function create(options: BundleOptions = { args: ['sleep', '1000'] }, flags: string[] = []): Promise<Shim> {
  const root = join(t.root)
  const { path: bundle } = await t.bundle(options)
  const id = t.id()
  const log = join(bundle, 'log.json')
  const globals = ['--root', root, '--log', log, '--log-format', 'json']
  const runc = (args: readonly string[], more: CallOptions = {}): Promise<Call> =>
    call([...globals, ...args], { env, cwd: bundle, ...more })
  const pidFile = join(bundle, 'init.pid')
  const { exitCode } = await t.runtime(
    [...globals.slice(2), 'create', '--bundle', bundle, '--pid-file', pidFile, ...flags, id],
    { env, cwd: bundle },
  )
  expect(exitCode, readFileSync(log, 'utf8')).toBe(0)
  return { id, bundle, pid: atoi(pidFile), log, runc }
}

async function running(options?: BundleOptions): Promise<Shim> {
  const shim = await create(options)
  expect(await shim.runc(['start', shim.id])).toMatchObject({ exitCode: 0, all: '' })
  return shim
}

async function stopped(): Promise<Shim> {
  const shim = await running({ args: ['true'] })
  await t.waitForStatus(shim.id, 'stopped')
  return shim
}

describe('containerd-shim-runc-v2 create and start', () => {
  it.each([[[]], [['--no-pivot']], [['--no-new-keyring']]])(
    'create with %j leaves a pid file for Atoi',
    async (flags) => {
      const { id, pid } = await create(undefined, flags)
      expect(await t.state(id)).toMatchObject({ pid, status: 'created' })
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
    },
  )

  it('create with --rootless=false and --debug keeps the log JSON', async () => {
    const { path: bundle } = await t.bundle()
    const log = join(bundle, 'log.json')
    const globals = ['--log', log, '--log-format', 'json', '--rootless=false', '--debug']
    await t.ok([...globals, 'create', '--bundle', bundle, '--pid-file', join(bundle, 'init.pid'), t.id()], { env })
    expect(lastRuntimeError(log)).toBe('')
  })

  it('a failed create has its reason as the last error of the log', async () => {
    const { path: bundle } = await t.bundle({ args: ['no-such-program'] })
    const log = join(bundle, 'log.json')
    const globals = ['--root', t.root, '--log', log, '--log-format', 'json']
    const result = await call([...globals, 'create', '--bundle', bundle, '--pid-file', join(bundle, 'p'), t.id()], {
      env,
    })
    expect(result.exitCode).toBe(1)
    expect(lastRuntimeError(log)).toMatch(/exec: "no-such-program": executable file not found in \$PATH/)
  })

  it('a failed start has it too', async () => {
    const { id, log, runc } = await stopped()
    expect((await runc(['start', id])).exitCode).toBe(1)
    expect(lastRuntimeError(log)).toMatch(/cannot start a container that has stopped/)
  })
})

describe('containerd-shim-runc-v2 exec', () => {
  function processFile({ bundle }: Shim, args: string[]): string {
    const path = join(bundle, `process-${args.length}.json`)
    const env = ['PATH=/bin']
    writeFileSync(path, JSON.stringify({ user: { uid: 0, gid: 0 }, args, env, cwd: '/', terminal: false }))
    return path
  }

  it('--detach --pid-file before the id: the pid is of the container', async () => {
    const shim = await running()
    const pidFile = join(shim.bundle, 'exec1.pid')
    const process = processFile(shim, ['sleep', '1000'])
    const globals = ['--log', shim.log, '--log-format', 'json']
    await t.ok([...globals, 'exec', '--process', process, '--detach', '--pid-file', pidFile, shim.id], { env })
    expect(namespaceOf(atoi(pidFile), 'pid')).toBe(namespaceOf(shim.pid, 'pid'))
  })

  it('a program that is missing: the reason in the log, and no pid file', async () => {
    const shim = await running()
    const pidFile = join(shim.bundle, 'exec2.pid')
    const process = processFile(shim, ['/no/such/program'])
    const result = await shim.runc(['exec', '--process', process, '--detach', '--pid-file', pidFile, shim.id])
    expect(result.exitCode).toBe(255)
    expect(lastRuntimeError(shim.log)).toMatch(/no such file or directory/)
    expect(() => readFileSync(pidFile)).toThrow(/ENOENT/)
  })
})

describe('containerd-shim-runc-v2 kill and delete', () => {
  it('kill ID 15, kill --all ID 9', async () => {
    const { id, pid, runc } = await running({
      args: ['sh', '-c', 'sleep 1001 & wait'],
      spec: (spec) => shareWithHost(spec, 'pid'),
    })
    const [child = 0] = await waitFor(() => {
      const children = childrenOf(pid)
      return children.length === 1 ? children : undefined
    })
    expect(await runc(['kill', id, '0'])).toMatchObject({ exitCode: 0, all: '' })
    expect(await runc(['kill', '--all', id, '9'])).toMatchObject({ exitCode: 0, all: '' })
    await waitFor(() => !isAlive(pid) && !isAlive(child))
  })

  it('kill of a stopped container is "not found"', async () => {
    const { id, log, runc } = await stopped()
    expect((await runc(['kill', id, '9'])).exitCode).toBe(1)
    expect(killError(lastRuntimeError(log))).toBe('not found')
  })

  it('kill of a container that is gone is "no such container"', async () => {
    const { log, runc } = await create()
    expect((await runc(['kill', 't-gone', '9'])).exitCode).toBe(1)
    expect(killError(lastRuntimeError(log))).toBe('no such container')
  })

  it('delete of a container that has stopped', async () => {
    const { id, runc } = await stopped()
    expect(await runc(['delete', id])).toMatchObject({ exitCode: 0, all: '' })
  })

  it('delete --force of one that runs, and again', async () => {
    const { id, pid, runc } = await running()
    expect(await runc(['delete', '--force', id])).toMatchObject({ exitCode: 0, all: '' })
    await waitFor(() => !isAlive(pid))
    expect((await runc(['delete', '--force', id])).exitCode).toBe(0)
  })

  it('delete of one that is gone says "does not exist", which is success', async () => {
    const { log, runc } = await create()
    expect((await runc(['delete', 't-gone'])).exitCode).toBe(1)
    expect(lastRuntimeError(log)).toContain('does not exist')
  })
})

describe("go-runc's decoders", () => {
  it.each(['created', 'running', 'stopped'] as const)('State of a container that is %s', async (status) => {
    const { id, bundle, pid, runc } =
      status === 'created' ? await create() : status === 'running' ? await running() : await stopped()
    const state = decodeContainer(JSON.parse((await runc(['state', id])).stdout))
    expect(state).toMatchObject({ id, status, bundle, rootfs: `${bundle}/rootfs`, pid: status === 'stopped' ? 0 : pid })
    expect(Math.abs(Date.now() - state.created)).toBeLessThan(60_000)
  })

  it('State of combined output has nothing but JSON in it', async () => {
    const { id, runc } = await running()
    expect(decodeContainer(JSON.parse((await runc(['--debug=false', 'state', id])).all)).id).toBe(id)
  })

  it('List', async () => {
    const { id, runc } = await running()
    const list = JSON.parse((await runc(['list', '--format=json'])).all) as unknown[]
    expect(list.map((each) => decodeContainer(each).id)).toEqual([id])
  })

  it('List of a namespace without containers', async () => {
    const root = t.hostDirectory()
    const result = await quiet(['--root', root, 'list', '--format=json'], { env })
    expect(JSON.parse(result.all) ?? []).toEqual([])
  })

  it('Ps', async () => {
    const { id, pid, runc } = await running()
    expect(JSON.parse((await runc(['ps', '--format', 'json', id])).all)).toEqual([pid])
  })

  it('Pause, State, Resume', async () => {
    const { id, runc } = await running()
    expect(await runc(['pause', id])).toMatchObject({ exitCode: 0, all: '' })
    expect(decodeContainer(JSON.parse((await runc(['state', id])).all)).status).toBe('paused')
    expect(await runc(['resume', id])).toMatchObject({ exitCode: 0, all: '' })
    expect(decodeContainer(JSON.parse((await runc(['state', id])).all)).status).toBe('running')
  })

  it('Stats', async () => {
    const { id, runc } = await running()
    const event = JSON.parse((await runc(['events', '--stats', id])).all) as {
      type: string
      id: string
      data: {
        cpu: { usage: { total: number; kernel: number; user: number }; throttling: object }
        memory: { usage: { usage: number }; raw: Record<string, number> }
        pids: { current: number }
      }
    }
    expect(event).toMatchObject({ type: 'stats', id, data: { pids: { current: 1 } } })
    const { cpu, memory } = event.data
    for (const number of [cpu.usage.total, cpu.usage.kernel, cpu.usage.user, memory.usage.usage])
      expect(number).toBeGreaterThanOrEqual(0)
    for (const number of Object.values(memory.raw)) expect(number).toBeTypeOf('number')
  })

  it('Update with the resources on stdin', async () => {
    const { id, runc } = await running()
    const input = JSON.stringify({ pids: { limit: 99 } })
    expect(await runc(['update', '--resources=-', id], { input })).toMatchObject({ exitCode: 0, all: '' })
    const event = JSON.parse((await runc(['events', '--stats', id])).all) as { data: { pids: { limit: number } } }
    expect(event.data.pids.limit).toBe(99)
  })

  it('Version', async () => {
    const { stdout } = await quiet(['--version'], { env })
    const [name = '', ...lines] = stdout.trimEnd().split('\n')
    expect(name).toMatch(/^\S+ version \d+\.\d+\.\d+/)
    expect(lines.some((line) => /^spec: 1\.\d+\.\d+/.test(line))).toBe(true)
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('Checkpoint fails, with the reason in the log', async () => {
      const { id, bundle, log, runc } = await running()
      const image = join(bundle, 'image')
      mkdirSync(image)
      const flags = ['--image-path', image, '--work-path', image, '--leave-running']
      expect((await runc(['checkpoint', ...flags, id])).exitCode).toBe(1)
      expect(lastRuntimeError(log)).toContain('checkpoint is not supported')
      expect((await t.state(id)).status).toBe('running')
    })
  })
})
