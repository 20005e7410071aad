import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Bundle, BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { cpuMs } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { ServiceManager } from '../../support/service-manager.ts'
import { giveImage, mapIds } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

// runc reads no further than the first line, loses what an ending container has sent, and forwards nothing in the foreground.
requires('root', 'own-runtime')
const t = useContainers()
const PATH = process.env.PATH ?? ''

async function bundle(script: string, options: BundleOptions = {}): Promise<Bundle> {
  const made = await t.bundle({ args: ['sh', '-c', script], ...options })
  copyFileSync(program('notify'), join(made.rootfs, 'notify'))
  return made
}

async function service() {
  const manager = await ServiceManager.listen(join(t.hostDirectory(), 'manager.sock'))
  t.defer(() => manager.stop())
  return { manager, env: { PATH, NOTIFY_SOCKET: manager.socket } }
}

/** create and start under a service manager; what that has got when start has returned. */
async function started(made: Bundle) {
  const { manager, env } = await service()
  const { id, pid, result } = await t.create(made, { env })
  await t.ok(['start', id], { env })
  return { id, pid, result, manager, env }
}

describe('what a container sends', () => {
  it('is forwarded once, as one datagram with its status and nothing else of it', async () => {
    const made = await bundle(
      "/notify send MAINPID=1 BARRIER=1 'STATUS=early' 'MAINPID=1\\nSTATUS=up and running\\nREADY=1\\nFDSTORE=1\\nNOTIFYACCESS=all' READY=1; exec sleep 1000",
    )
    const { manager, pid } = await started(made)
    expect(manager.datagrams()).toEqual([`STATUS=up and running\nREADY=1\nMAINPID=${pid}`])
  })

  it.each([
    ['a status that steers a terminal', 'STATUS=\u001b[2J\\nREADY=1'],
    ['one with a control character of Unicode', 'STATUS=a\u0085b\\nREADY=1'],
    ['one that turns the text around', 'STATUS=a\u202eb\\nREADY=1'],
    ['one that leaves no room for the pid of init', `STATUS=${'x'.repeat(4080)}\\nREADY=1`],
  ])('loses %s', async (_, text) => {
    const { manager, pid } = await started(await bundle(`/notify send '${text}'; exec sleep 1000`))
    expect(manager.datagrams()).toEqual([`READY=1\nMAINPID=${pid}`])
  })

  it.each([
    ['another value', 'READY=0'],
    ['another name', 'XREADY=1'],
    ['more than a datagram of the service manager', `READY=1\\nSTATUS=${'x'.repeat(4096)}`],
  ])('is not ready with %s', async (_, text) => {
    const { manager } = await started(await bundle(`/notify send '${text}'`))
    expect(manager.datagrams()).toEqual([])
  })

  it('counts when the container ends at once', async () => {
    const { manager, pid } = await started(await bundle('/notify send READY=1'))
    expect(manager.datagrams()).toEqual([`READY=1\nMAINPID=${pid}`])
  })

  it('may come without end: ready is seen among it, and afterwards nobody listens', async () => {
    const made = await bundle('/notify flood & sleep 0.2; /notify send READY=1; exec sleep 1000')
    const { id, pid, manager } = await started(made)
    expect(manager.datagrams()).toEqual([`READY=1\nMAINPID=${pid}`])
    expect(readdirSync(join(t.root, id, 'notify'))).toEqual([])
  })

  it('without end and without READY=1 costs little more than no messages', async () => {
    const { env } = await service()
    const { id } = await t.create(await bundle('/notify flood & /notify flood & exec /notify flood'), { env })
    const child = spawn(runtimePath, ['--root', t.root, 'start', id], { stdio: 'ignore', env })
    t.defer(() => void child.kill('SIGKILL'))
    await t.waitForStatus(id, 'running')
    const before = cpuMs(child.pid ?? 0)
    await delay(2000)
    expect(cpuMs(child.pid ?? 0) - before).toBeLessThan(600)
  })

  it('arrives from a user namespace', async () => {
    const made = await bundle('/notify send READY=1; exec sleep 1000', { spec: (spec) => mapIds(spec) })
    giveImage(made)
    const { manager, pid } = await started(made)
    expect(manager.datagrams()).toEqual([`READY=1\nMAINPID=${pid}`])
  })

  it('arrives from a long runtime directory', async () => {
    const { manager, env } = await service()
    const made = await bundle('/notify send READY=1; exec sleep 1000')
    const id = `${t.id()}-${'long'.repeat(30)}`
    await t.ok(['create', '--bundle', made.path, id], { env })
    t.defer(async () => void (await t.runtime(['delete', '--force', id])))
    await t.ok(['start', id], { env })
    expect(manager.variables()).toContain('READY=1')
  })
})

describe('run in the foreground', () => {
  it('tells that the container is ready, and stays the main process', async () => {
    const { manager, env } = await service()
    const result = await t.run(await bundle('/notify send READY=1; exit 5'), { env })
    expect(result).toMatchObject({ exitCode: 5, stdout: 'sent\n' })
    expect(manager.datagrams()).toEqual(['READY=1'])
    t.expectNothingLeft()
  })

  it('ends with a container that says nothing', async () => {
    const { manager, env } = await service()
    expect(await t.run(await bundle('exit 6'), { env })).toMatchObject({ exitCode: 6, stderr: '' })
    expect(manager.datagrams()).toEqual([])
  })
})

describe('NOTIFY_SOCKET', () => {
  it.each(['relative.sock', '@', '/', `/${'x'.repeat(4095)}`, 'vsock:2:1234'])(
    'of %s is refused by create, which leaves nothing',
    async (socket) => {
      const made = await bundle('true')
      const result = await t.runtime(['create', '--bundle', made.path, t.id()], {
        env: { PATH, NOTIFY_SOCKET: socket },
      })
      expect(result).toMatchObject({ exitCode: 1, stdout: '' })
      expect(result.stderr).toMatch(/^NOTIFY_SOCKET must be the absolute path of a socket or "@".*: unset it\n$/)
      t.expectNothingLeft()
    },
  )

  it('on which nobody listens fails start before anything runs, and start can be tried again', async () => {
    const env = { PATH, NOTIFY_SOCKET: join(t.hostDirectory(), 'nobody.sock') }
    const { id } = await t.create(await bundle('/notify send READY=1; exec sleep 1000'), { env })
    const result = await t.runtime(['start', id], { env })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/^connect to NOTIFY_SOCKET \/.*nobody\.sock: no such file or directory: .*\n$/)
    expect(await t.state(id)).toMatchObject({ status: 'created' })
    const manager = await ServiceManager.listen(env.NOTIFY_SOCKET)
    t.defer(() => manager.stop())
    await t.ok(['start', id], { env })
    expect(manager.variables()).toContain('READY=1')
  })

  it.each([[[]], [['--detach']]])(
    'on which nobody listens any more does not keep run %j from running',
    async (flags) => {
      const env = { PATH, NOTIFY_SOCKET: join(t.hostDirectory(), 'nobody.sock') }
      const result = await t.run(await bundle('exit 6'), { env, flags })
      expect(result).toMatchObject({ exitCode: flags.length > 0 ? 0 : 6, timedOut: false })
      expect(result.stderr).toMatch(
        /^warning: connect to NOTIFY_SOCKET \/.*nobody\.sock: no such file or directory: .*\n$/,
      )
    },
  )

  it('of start alone changes nothing', async () => {
    const { manager, env } = await service()
    const { id } = await t.create({ args: ['sleep', '1000'] }, { env: { PATH } })
    await t.ok(['start', id], { env })
    expect(manager.datagrams()).toEqual([])
  })

  it('of create alone: start does not wait', async () => {
    const { manager, env } = await service()
    const { id, result } = await t.create(await bundle('/notify send READY=1; exec sleep 1000'), { env })
    await t.ok(['start', id], { env: { PATH } })
    await waitFor(() => /^connect \/run\/notify\/notify\.sock: No such file/.test(result.output()))
    expect(manager.datagrams()).toEqual([])
  })

  it('leaves nothing of a create that fails', async () => {
    const { env } = await service()
    const made = await t.bundle({ args: ['/no/such/program'] })
    const id = t.id()
    expect(await t.runtime(['create', '--bundle', made.path, id], { env })).toMatchObject({ exitCode: 1 })
    expect(existsSync(join(t.root, id))).toBe(false)
    t.expectNothingLeft()
  })
})
