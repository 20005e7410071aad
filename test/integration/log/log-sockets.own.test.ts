/** `--log journald:` and `--log syslog:`: what arrives at a socket in the place of the host's. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from '@crio-lxc/core/abi/bytes'
import { close } from '@crio-lxc/core/sys/fd'
import { receiveDatagram } from '@crio-lxc/core/sys/unix-datagram'
import { bindDatagram } from '@crio-lxc/core/sys/unix-socket'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

const places = { journald: '/run/systemd/journal/socket', syslog: '/dev/log' } as const

/** Runs the runtime where a socket of this test is in the place of the host's; gives what came. */
function received(log: string, args: readonly string[]) {
  const place = places[log.startsWith('journald') ? 'journald' : 'syslog']
  const socket = join(t.hostDirectory(), 'socket')
  const fd = bindDatagram(socket)
  try {
    const script = `mount -t tmpfs none /run; mkdir -p /run/systemd/journal; : >${place}; mount --bind ${socket} ${place}; exec "$0" "$@"`
    const command = [runtimePath, '--root', t.root, '--log', log, ...args]
    const result = spawnSync('unshare', ['-m', 'sh', '-ec', script, ...command], { encoding: 'utf8', timeout: 30_000 })
    const datagrams: string[] = []
    for (let next = receiveDatagram(fd, 1 << 20); next !== undefined; next = receiveDatagram(fd, 1 << 20))
      datagrams.push(decode(next))
    return { ...result, datagrams }
  } finally {
    close(fd)
  }
}

describe('--log journald:NAME', () => {
  it('sends an entry for each verb that changes something', async () => {
    const { id } = await t.create()
    const { status, datagrams } = received('journald:node-1', ['start', id])
    expect(status).toBe(0)
    expect(datagrams).toHaveLength(1)
    const fields = Object.fromEntries(
      (datagrams[0] ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    )
    expect(fields).toMatchObject({
      MESSAGE: expect.stringMatching(/^start ends with exit code 0 \(\d+(\.\d)? ms\)$/),
      PRIORITY: '6',
      SYSLOG_IDENTIFIER: 'node-1',
      ID: id,
      CRIO_LXC_COMMAND: 'start',
      CRIO_LXC_EXIT_CODE: '0',
      CRIO_LXC_MS: expect.stringMatching(/^\d+(\.\d)?$/),
    })
  })

  it('sends an error beside the line on stderr, and nothing of a verb that only looks', () => {
    const { status, stderr, datagrams } = received('journald:', ['state', 'no-such'])
    expect(status).toBe(1)
    expect(stderr).toContain('container does not exist')
    expect(datagrams).toHaveLength(1)
    expect(datagrams[0]).toMatch(/^MESSAGE=container does not exist.*\nPRIORITY=3\nSYSLOG_IDENTIFIER=crio-lxc\n/)
    expect(received('journald:', ['list']).datagrams).toEqual([])
  })
})

describe('--log syslog:NAME', () => {
  it('sends a line with priority, name, pid and container', async () => {
    const { id } = await t.create()
    const { status, datagrams } = received('syslog:node-1', ['kill', id, 'KILL'])
    expect(status).toBe(0)
    expect(datagrams).toEqual([
      expect.stringMatching(new RegExp(`^<14>node-1\\[\\d+\\]: ${id}: kill ends with exit code 0 `)),
    ])
  })
})

describe('--log', () => {
  it.each(['journald:', 'syslog:'])('%s without anybody at the socket is an error that names it', (log) => {
    const script = 'mount -t tmpfs none /run; exec "$0" "$@"'
    const place = places[log === 'journald:' ? 'journald' : 'syslog']
    const result = spawnSync(
      'unshare',
      [
        '-m',
        'sh',
        '-ec',
        `${log === 'syslog:' ? 'mount -t tmpfs none /dev; ' : ''}${script}`,
        runtimePath,
        '--log',
        log,
        'list',
      ],
      { encoding: 'utf8' },
    )
    expect(result.status).toBe(1)
    const problem = `open --log ${log.slice(0, -1)}: connect to ${place}: no such file or directory`
    expect(messageOf(result)).toBe(`${problem}: start the daemon that has the socket, or name a file`)
  })

  it('file:PATH is PATH, as for crun', async () => {
    const directory = t.hostDirectory()
    mkdirSync(directory, { recursive: true })
    const path = join(directory, 'log')
    await t.runtime(['--log', `file:${path}`, 'state', 'no-such'])
    expect(t.read(path)).toContain('container does not exist')
  })
})
