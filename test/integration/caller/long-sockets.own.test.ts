/** Sockets whose paths are longer than an address of unix(7): runc refuses them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { BusConnection } from '@crio-lxc/core/host/systemd/bus-connection'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { listenDeaf } from '../../support/full-socket.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { Agent, NO_MEDIUM } from '../../support/seccomp-agent.ts'
import { ServiceManager } from '../../support/service-manager.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Moves the socket at `path` to a path of over 400 bytes: it goes on listening. */
function farAway(path: string): string {
  const directory = join(t.hostDirectory(), 'f'.repeat(200), 'g'.repeat(200))
  mkdirSync(directory, { recursive: true })
  const far = join(directory, 'socket')
  renameSync(path, far)
  return far
}

/** A receiver of descriptors, at the end of a long path. */
async function receiver(name: 'console-receiver' | 'pidfd-receiver'): Promise<{ path: string; text: () => string }> {
  const path = join(t.hostDirectory(), 'receiver.sock')
  const child: ChildProcess = spawn(program(name), [path], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.defer(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString()
  })
  await waitFor(() => text.startsWith('listening\n'))
  return { path: farAway(path), text: () => text }
}

describe('a long path', () => {
  it.each(['create', 'exec'])('of --console-socket for %s', async (verb) => {
    const { path, text } = await receiver('console-receiver')
    const args = ['sh', '-c', 'echo on the terminal; exec sleep 1000']
    if (verb === 'create') await t.running({ args, process: { terminal: true } }, { flags: ['--console-socket', path] })
    else {
      const { id } = await t.running()
      await t.ok(['exec', '--detach', '--tty', '--console-socket', path, id, ...args])
    }
    await waitFor(() => text().includes('on the terminal'))
  })

  it.each(['create', 'exec'])('of --pidfd-socket for %s', async (verb) => {
    const { path, text } = await receiver('pidfd-receiver')
    if (verb === 'create') await t.create({}, { flags: ['--pidfd-socket', path] })
    else {
      const { id } = await t.running()
      await t.ok(['exec', '--pidfd-socket', path, id, 'true'])
    }
    await waitFor(() => text().includes(verb === 'create' ? 'standard' : 'setns'))
  })

  it('of linux.seccomp.listenerPath', async () => {
    const agent = await new Agent(t).listening()
    const listenerPath = farAway(agent.path)
    const { stderr } = await t.run({
      args: ['mkdir', '/dev/made'],
      spec: ({ linux }) => {
        const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }]
        linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath, syscalls }
      },
    })
    expect(stderr).toMatch(NO_MEDIUM)
  })

  it('of NOTIFY_SOCKET', async () => {
    const manager = await ServiceManager.listen(join(t.hostDirectory(), 'manager.sock'))
    t.defer(() => manager.stop())
    const env = { PATH: process.env.PATH ?? '', NOTIFY_SOCKET: farAway(manager.socket) }
    const bundle = await t.bundle({ args: ['sh', '-c', '/notify send READY=1; exec sleep 1000'] })
    copyFileSync(program('notify'), join(bundle.rootfs, 'notify'))
    const { id } = await t.create(bundle, { env })
    await t.ok(['start', id], { env })
    await waitFor(() => manager.variables().includes('READY=1'))
  })

  it("of systemd's bus", () => {
    const path = join(t.hostDirectory(), 'bus')
    t.defer(listenDeaf(path, { room: true }))
    const far = farAway(path)
    // Connected: what is missing is the answer.
    expect(() => new BusConnection(far, 100)).toThrow(/wait at .* to authenticate: it took longer than 100 ms/)
  })

  it('on which nobody listens is named with the reason', async () => {
    const { id } = await t.running()
    const path = `/no/such/${'x'.repeat(120)}/socket`
    const { stderr } = await t.runtime(['exec', '--tty', '--console-socket', path, id, 'true'])
    expect(stderr).toBe(`connect to the console socket ${path}: no such file or directory: start its listener first\n`)
  })
})
