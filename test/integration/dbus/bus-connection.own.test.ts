/** The D-Bus client against Debian's dbus-daemon, which needs no systemd. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BusConnection, BusError, type Call } from '@crio-lxc/core/host/systemd/bus-connection'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('dbus-daemon', 'own-runtime')

const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-bus-'))
const socket = join(directory, 'bus')
let daemon: ChildProcess | undefined

beforeAll(async () => {
  if (!existsSync('/usr/bin/dbus-daemon')) return
  daemon = spawn('dbus-daemon', ['--session', '--nofork', '--address', `unix:path=${socket}`], { stdio: 'ignore' })
  await waitFor(() => existsSync(socket), { what: 'dbus-daemon to listen' })
})
afterAll(() => {
  daemon?.kill()
  rmSync(directory, { recursive: true, force: true })
})

function bus(member: string, signature?: string, body?: Call['body']): Call {
  const name = 'org.freedesktop.DBus'
  const path = '/org/freedesktop/DBus'
  return { destination: name, path, interface: name, member, ...(signature && body && { signature, body }) }
}

function connected(): BusConnection {
  const connection = new BusConnection(socket, 5000)
  connection.call([bus('Hello')], 5000)
  return connection
}

describe('BusConnection', () => {
  it('authenticates, and gets the replies of several calls in their order', () => {
    const connection = new BusConnection(socket, 5000)
    const [hello, names, owner] = connection.call(
      [bus('Hello'), bus('ListNames'), bus('NameHasOwner', 's', ['org.freedesktop.DBus'])],
      5000,
    )
    expect(hello?.body?.[0]).toMatch(/^:1\.\d+$/)
    expect(names?.body?.[0]).toEqual(expect.arrayContaining(['org.freedesktop.DBus', String(hello?.body?.[0])]))
    expect(owner?.body).toEqual([true])
    connection.close()
  })

  it('throws the error of a call by its name, and goes on', () => {
    const connection = connected()
    const call = (): unknown => connection.call([bus('GetNameOwner', 's', ['no.such.name'])], 5000)
    expect(call).toThrow(BusError)
    expect(call).toThrow('no.such.name')
    expect(connection.call([bus('GetId')], 5000)[0]?.body?.[0]).toMatch(/^[0-9a-f]{32}$/)
    connection.close()
  })

  it('keeps a signal that comes before the reply', () => {
    const connection = connected()
    connection.call([bus('AddMatch', 's', ["type='signal',member='NameOwnerChanged'"])], 5000)
    connection.call([bus('RequestName', 'su', ['test.name', 0])], 5000)
    const signal = connection.waitForSignal(({ body }) => body?.[0] === 'test.name', { timeoutMs: 5000, what: 'tell' })
    expect(signal.member).toBe('NameOwnerChanged')
    connection.close()
  })

  it('gives up in time', () => {
    const connection = connected()
    const wait = (): unknown => connection.waitForSignal(() => false, { timeoutMs: 50, what: 'finish the job' })
    expect(wait).toThrow(/^wait at .* for systemd to finish the job: it took longer than 50 ms$/)
    connection.close()
  })

  it('says when nobody listens', () => {
    expect(() => new BusConnection(join(directory, 'nothing'), 100)).toThrow('no such file or directory')
  })

  it('refuses who is no bus', async () => {
    const path = join(directory, 'other')
    const program = `require('net').createServer((s) => s.end('HTTP/1.1 400\\r\\n')).listen(${JSON.stringify(path)})`
    const server = spawn(process.execPath, ['-e', program], { stdio: 'ignore' })
    await waitFor(() => existsSync(path), { what: 'the server to listen' })
    expect(() => new BusConnection(path, 5000)).toThrow('the answer is "HTTP/1.1 400"')
    server.kill()
  })
})
