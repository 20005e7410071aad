import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ErrExist, ErrNotExist, ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { wait } from '@crio-lxc/core/sys/spawn'
import { describe, expect, it } from 'vitest'
import { toSettings } from '../../packages/runtime-cli/src/command-line/configuration.ts'
import { Runtime } from '../../packages/runtime-cli/src/runtime.ts'
import type { BundleOptions } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { isAlive, namespaceOf } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { waitFor } from '../support/wait-for.ts'

// The class as an embedding program uses it: in this very process, on real containers.
requires('root', 'own-runtime')
const t = useContainers()

const SIGTERM = 15
const SIGKILL = 9

function runtime(id = t.id()): Runtime {
  const instance = new Runtime(toSettings({ values: { root: t.root }, env: {} }), id)
  t.defer(() => instance.release())
  return instance
}

async function created(
  options: BundleOptions = { args: ['sleep', '1000'] },
): Promise<{ runtime: Runtime; rootfs: string }> {
  const bundle = await t.bundle(options)
  const instance = runtime()
  await instance.create({ bundle: bundle.path })
  return { runtime: instance, rootfs: bundle.rootfs }
}

const writable: BundleOptions = {
  args: ['sleep', '1000'],
  spec: (spec) => {
    spec.root.readonly = false
  },
}

const process = { env: [], tty: false, additionalGids: [], caps: [] } as const

describe('Runtime', () => {
  it('goes from create by start, kill and delete to nothing, with the state of each', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const container = runtime()
    const pidFile = join(t.hostDirectory(), 'pid')
    const info = await container.create({ bundle: bundle.path, pidFile })
    const { pid } = container.state()
    expect(container.state()).toMatchObject({
      id: container.containerId,
      status: 'created',
      bundle: bundle.path,
      rootfs: bundle.rootfs,
    })
    expect(t.read(pidFile)).toBe(String(pid))
    expect(info.pid()).toBe(pid)
    expect(info.facts).toMatchObject({
      containerId: container.containerId,
      runtimeRoot: t.root,
      bundlePath: bundle.path,
    })
    expect(t.read(`/proc/${pid}/cmdline`)).not.toContain('sleep')

    await container.start()
    expect(container.state()).toMatchObject({ status: 'running', pid })
    expect(t.read(`/proc/${pid}/cmdline`)).toBe('sleep\0' + '1000\0')

    container.kill(SIGKILL)
    await waitFor(() => container.state().status === 'stopped')
    expect(container.state().pid).toBe(0)

    await container.delete(false)
    expect(existsSync(join(t.root, container.containerId))).toBe(false)
    t.expectNothingLeft()
  })

  it('create of an id that is taken throws ErrExist and leaves the container as it is', async () => {
    const { runtime: first } = await created()
    const bundle = await t.bundle()
    const second = runtime(first.containerId)
    await expect(second.create({ bundle: bundle.path })).rejects.toThrow(ErrExist)
    await expect(second.create({ bundle: bundle.path })).rejects.toThrow(
      `container with given ID already exists: ${first.containerId}`,
    )
    expect(first.state()).toMatchObject({ status: 'created' })
  })

  it.each<[string, (container: Runtime) => unknown]>([
    ['start', (container) => container.start()],
    ['state', (container) => container.state()],
    ['kill', (container) => container.kill(SIGTERM)],
    ['delete', (container) => container.delete(false)],
    ['exec', (container) => container.exec({ ...process, args: ['true'] })],
    ['execDetached', (container) => container.execDetached({ ...process, args: ['true'] })],
  ])('%s of a container that is not there throws ErrNotExist', async (_, call) => {
    const failure = await Promise.resolve()
      .then(() => call(runtime()))
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ErrNotExist)
    expect((failure as Error).message).toContain('container does not exist')
  })

  it('delete by force of a container that is not there is no error', async () => {
    await runtime().delete(true)
  })

  it('delete of a container that runs needs force', async () => {
    const { runtime: container } = await created()
    await container.start()
    const { pid } = container.state()
    await expect(container.delete(false)).rejects.toThrow('cannot delete container that is not stopped')
    expect(isAlive(pid)).toBe(true)
    await container.delete(true)
    expect(isAlive(pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('kill of a stopped container throws ErrNotRunning', async () => {
    const { runtime: container } = await created({ args: ['true'] })
    await container.start()
    await waitFor(() => container.state().status === 'stopped')
    expect(() => container.kill(SIGTERM)).toThrow(ErrNotRunning)
  })

  it('a create that fails throws and leaves nothing', async () => {
    const bundle = await t.bundle({ args: ['/no/such/program'] })
    await expect(runtime().create({ bundle: bundle.path })).rejects.toThrow('no such file or directory')
    t.expectNothingLeft()
  })

  it('exec returns the exit code, 128 + n for a signal, and runs inside', async () => {
    const { runtime: container, rootfs } = await created(writable)
    await container.start()
    const script = 'hostname > /from-exec; echo $VALUE >> /from-exec; exit 7'
    expect(await container.exec({ ...process, args: ['sh', '-c', script], env: ['VALUE=x y'] })).toBe(7)
    expect(t.read(join(rootfs, 'from-exec'))).toBe('runc\nx y\n')
    expect(await container.exec({ ...process, args: ['sh', '-c', 'kill -TERM $$'] })).toBe(128 + SIGTERM)
    await expect(container.exec({ ...process, args: ['/no/such/program'] })).rejects.toThrow(
      'no such file or directory',
    )
  })

  it('execDetached returns the pid on the host of a process in the container, a child of the caller', async () => {
    const { runtime: container } = await created()
    await container.start()
    const pid = container.execDetached({ ...process, args: ['sleep', '2000'] })
    expect(t.read(`/proc/${pid}/cmdline`)).toBe('sleep\0' + '2000\0')
    expect(namespaceOf(pid, 'pid')).toBe(namespaceOf(container.state().pid, 'pid'))
    container.kill(SIGKILL)
    expect(wait(pid)).toEqual({ signal: SIGKILL })
  })

  it('execDetached with a terminal but no socket for it is refused', async () => {
    const { runtime: container } = await created()
    await container.start()
    expect(() => container.execDetached({ ...process, args: ['true'], tty: true })).toThrow('needs a socket')
  })

  it('configureLogging writes lines about the container until release', async () => {
    const { runtime: container } = await created()
    const file = join(t.hostDirectory(), 'log')
    container.log.error('before')
    await container.configureLogging({ file, level: 'info', command: 'embedded' })
    container.log.info('during', { c: 'test' })
    const { log } = container
    container.release()
    container.log.error('after')
    log.error('after')
    const lines = t
      .read(file)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
    expect(lines).toEqual([
      { l: 'info', m: 'during', c: 'test', cid: container.containerId, cmd: 'embedded', t: expect.any(String) },
    ])
    expect(container.state().status).toBe('created')
  })

  it('configureLogging names the file that cannot be opened', async () => {
    await expect(runtime().configureLogging({ file: '/no/such/directory/log' })).rejects.toThrow(
      '/no/such/directory/log',
    )
  })
})
