import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn, parseProbe } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { writeRefusedPrograms } from '../../support/refused-programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { SocketReceiver } from '../../support/socket-receiver.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** What console-receiver.c prints about the message. */
interface Received {
  bytes: number
  text: string
  controlMessages: number
  fds: number
  isatty: boolean
  onlcr: boolean
  rows: number
  columns: number
}

/** A listening console socket, and the terminal behind it. */
const consoleSocket = (): Promise<SocketReceiver> => new SocketReceiver(t, 'console-receiver').listening()

describe('process.terminal with --console-socket', () => {
  it('sends the master, one descriptor in one message, before create returns', async () => {
    const socket = await consoleSocket()
    await t.create({ args: ['/probe'], process: { terminal: true } }, { flags: ['--console-socket', socket.path] })
    const received = await socket.received<Received>()
    expect(received).toMatchObject({ controlMessages: 1, fds: 1, isatty: true })
    expect(received.bytes).toBeGreaterThan(0)
    expect(received.bytes).toBeLessThan(4096)
  })

  it('gives the process the slave as stdio and controlling terminal, and as /dev/console', async () => {
    const socket = await consoleSocket()
    const { id } = await t.create(
      { args: ['/probe'], process: { terminal: true } },
      { flags: ['--console-socket', socket.path] },
    )
    await t.ok(['start', id])
    await waitFor(() => socket.output().includes('}\r\n') || socket.output().includes('}\n'))
    const report = parseProbe(socket.output().replaceAll('\r', ''))
    expect(report.tty).toMatchObject({ isatty: [true, true, true], controlling: true, name: '/dev/pts/0' })
    expect(report.tty.ttySession).toBe(report.tty.session)
    expect(report.devices.console).toMatchObject({ type: 'c', major: 136 })
    expect(mountOn(report, '/dev/console')?.type).toBe('devpts')
  })

  it('belongs to the user of the process', async () => {
    const socket = await consoleSocket()
    const { id } = await t.create(
      { args: ['/probe'], process: { terminal: true, user: { uid: 1000, gid: 1000 } } },
      { flags: ['--console-socket', socket.path] },
    )
    await t.ok(['start', id])
    await waitFor(() => socket.output().includes('"mountinfo"') && socket.output().trimEnd().endsWith('}'))
    expect(parseProbe(socket.output().replaceAll('\r', '')).tty).toMatchObject({ owner: 1000, controlling: true })
  })

  it('has the size of consoleSize', async () => {
    const socket = await consoleSocket()
    const { id } = await t.create(
      { args: ['stty', 'size'], process: { terminal: true, consoleSize: { height: 33, width: 101 } } },
      { flags: ['--console-socket', socket.path] },
    )
    await t.ok(['start', id])
    await waitFor(() => socket.output().includes('33 101'))
  })

  it('passes what is typed, and control-C as SIGINT', async () => {
    const socket = await consoleSocket()
    const script = 'trap "echo interrupted; exit 9" INT; read line; echo "got <$line>"; while :; do sleep 0.01; done'
    const { id } = await t.create(
      { args: ['sh', '-c', script], process: { terminal: true } },
      { flags: ['--console-socket', socket.path] },
    )
    await t.ok(['start', id])
    socket.type('hello\n')
    await waitFor(() => socket.output().includes('got <hello>'))
    socket.type('\x03')
    await waitFor(() => socket.output().includes('interrupted'))
    await t.waitForStatus(id, 'stopped')
  })

  it('hangs up the terminal when the process ends', async () => {
    const socket = await consoleSocket()
    const { id } = await t.create(
      { args: ['echo', 'bye'], process: { terminal: true } },
      { flags: ['--console-socket', socket.path] },
    )
    await t.ok(['start', id])
    await waitFor(() => socket.output().includes('bye'))
    await t.waitForStatus(id, 'stopped')
    await waitFor(() => socket.hungUp(), { what: 'the hang-up of the terminal' })
  })

  it('is where a program that the kernel refuses is told of', async () => {
    const [socket, another] = [await consoleSocket(), await consoleSocket()]
    const bundle = await t.bundle({ args: ['/opt/no-hash-bang'], process: { terminal: true } })
    writeRefusedPrograms(bundle.rootfs)
    const { id } = await t.create(bundle, { flags: ['--console-socket', socket.path] })
    await t.ok(['start', id])
    await waitFor(() => /no-hash-bang.*exec format error/.test(socket.output()))
    await t.waitForStatus(id, 'stopped')

    bundle.writeConfig({
      ...bundle.spec,
      process: { ...bundle.spec.process, terminal: false, args: ['sleep', '1000'] },
    })
    const running = await t.running(bundle)
    const flags = ['--detach', '--tty', '--console-socket', another.path]
    await t.ok(['exec', ...flags, running.id, '/opt/no-hash-bang'])
    await waitFor(() => /no-hash-bang.*exec format error/.test(another.output()))
  })

  it('works with exec --detach --tty', async () => {
    const { id } = await t.running()
    const socket = await consoleSocket()
    await t.ok(['exec', '--detach', '--tty', '--console-socket', socket.path, id, '/probe'])
    expect(await socket.received<Received>()).toMatchObject({ fds: 1, isatty: true })
    await waitFor(() => socket.output().includes('"mountinfo"') && socket.output().trimEnd().endsWith('}'))
    expect(parseProbe(socket.output().replaceAll('\r', '')).tty).toMatchObject({
      isatty: [true, true, true],
      controlling: true,
    })
  })

  it('exec gives it the consoleSize of process.json, before anything runs', async () => {
    const { id, bundle } = await t.running()
    const socket = await consoleSocket()
    const file = join(bundle.path, 'process.json')
    const process = { ...bundle.spec.process, args: ['stty', 'size'], terminal: true }
    writeFileSync(file, JSON.stringify({ ...process, consoleSize: { height: 33, width: 101 } }))
    await t.ok(['exec', '--detach', '--process', file, '--console-socket', socket.path, id])
    await waitFor(() => socket.output().includes('33 101'))
  })

  it('works with run --detach', async () => {
    const socket = await consoleSocket()
    const bundle = await t.bundle({ args: ['sh', '-c', 'tty; sleep 1000'], process: { terminal: true } })
    await t.ok(['run', '--detach', '--console-socket', socket.path, '--bundle', bundle.path, t.id()])
    await waitFor(() => socket.output().includes('/dev/pts/0'))
  })
})

describe('process.terminal without what it needs', () => {
  it('create without a console socket is refused', async () => {
    const bundle = await t.bundle({ process: { terminal: true } })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/console.socket/i)
    t.expectNothingLeft()
  })

  it('a console socket with terminal false is refused', async () => {
    const socket = await consoleSocket()
    const bundle = await t.bundle({ process: { terminal: false } })
    const result = await t.runtime(['create', '--console-socket', socket.path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/console.socket|terminal/i)
    t.expectNothingLeft()
  })

  it('a console socket nobody listens on fails and leaves nothing', async () => {
    const bundle = await t.bundle({ process: { terminal: true } })
    const path = join(t.hostDirectory(), 'nobody.sock')
    const result = await t.runtime(['create', '--console-socket', path, '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).not.toBe('')
    t.expectNothingLeft()
  })
})

describe("run on the caller's terminal", () => {
  const onPty = [program('on-pty'), '29', '99']

  it('gives the process a terminal of the container and returns its code', async () => {
    const script =
      'until s=$(stty size 2>/dev/null) && [ -n "$s" ] && [ "$s" != "0 0" ]; do :; done; echo "$s"; tty; exit 7'
    const result = await t.run(
      { args: ['sh', '-c', script], process: { terminal: true } },
      { through: onPty, input: '' },
    )
    expect(result.stdout).toContain('29 99\r\n/dev/pts/0\r\n')
    expect(result.exitCode).toBe(7)
  })

  it('passes what is typed', async () => {
    const result = await t.run(
      { args: ['sh', '-c', 'read line; echo "got <$line>"'], process: { terminal: true } },
      { through: onPty, input: 'typed\n' },
    )
    expect(result.stdout).toContain('got <typed>')
  })
})

describe('a hostile image and a terminal', () => {
  it('/dev/console and /dev/pts as links leave the host untouched (CVE-2025-52565)', async () => {
    const outside = t.hostDirectory('outside-')
    const socket = await consoleSocket()
    const bundle = await t.bundle({
      process: { terminal: true },
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
      },
    })
    symlinkSync(`${outside}/console`, `${bundle.rootfs}/dev/console`)
    symlinkSync(`${outside}/pts`, `${bundle.rootfs}/dev/pts`)
    await t.runtime(['create', '--console-socket', socket.path, '--bundle', bundle.path, t.id()])
    expect([existsSync(`${outside}/console`), existsSync(`${outside}/pts`)]).toEqual([false, false])
  })
})
