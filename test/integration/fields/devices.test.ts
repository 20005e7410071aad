import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { modeAndOwner } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

const defaults = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0] } as const
const links = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
}

describe('default devices', () => {
  it.each(Object.entries(defaults))(
    '/dev/%s is the character device %j, 0666 root:root, and opens',
    async (name, [major, minor]) => {
      const { devices } = await t.probe()
      // /dev/tty opens only for a process with a controlling terminal.
      expect(devices[name]).toMatchObject({
        type: 'c',
        mode: '666',
        major,
        minor,
        uid: 0,
        gid: 0,
        opens: name !== 'tty',
      })
    },
  )

  it.each(Object.entries(links))('/dev/%s links to %s', async (name, target) => {
    expect((await t.probe()).devices[name]).toMatchObject({ type: 'l', target })
  })

  it('nothing else is in /dev', async () => {
    const names = [...Object.keys(defaults), ...Object.keys(links), 'mqueue', 'pts', 'shm']
    expect(
      Object.keys((await t.probe()).devices)
        .filter((name) => name !== 'core')
        .sort(),
    ).toEqual(names.sort())
  })

  it('they are usable by another user', async () => {
    const { devices } = await t.probe({ process: { user: { uid: 1000, gid: 1000 } } })
    for (const name of ['null', 'zero', 'full', 'random', 'urandom']) expect(devices[name]?.opens, name).toBe(true)
  })

  it("they are not reduced by the caller's umask", async () => {
    const { devices } = await t.probe({}, { through: [program('launch'), '--umask', '0077', '--'] })
    expect(devices.null?.mode).toBe('666')
  })

  it('the devices cgroup denies others: a node of a disk cannot be opened', async () => {
    const sets = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE']
    const result = await t.run({
      args: ['sh', '-c', 'mknod /dev/memory c 1 1 && head -c 1 /dev/memory'],
      process: { capabilities: { bounding: sets, effective: sets, permitted: sets } },
    })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/Operation not permitted/)
  })

  it("the host's /dev/null is untouched by a container of another user with /dev/null as stdio", async () => {
    await t.running({ process: { user: { uid: 1000, gid: 1000 } } })
    expect(modeAndOwner('/dev/null')).toBe('666 0:0')
  })
})

describe('linux.devices', () => {
  it('makes a character device, a block device and a fifo with mode and owner', async () => {
    const { devices } = await t.probe({
      spec: (spec) => {
        spec.linux.devices = [
          { path: '/dev/fuse-like', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 12, gid: 34 },
          { path: '/dev/disk-like', type: 'b', major: 7, minor: 99, fileMode: 0o600, uid: 0, gid: 6 },
          { path: '/dev/pipe', type: 'p', fileMode: 0o644, uid: 0, gid: 0 },
        ]
      },
    })
    expect(devices['fuse-like']).toMatchObject({ type: 'c', major: 10, minor: 229, mode: '640', uid: 12, gid: 34 })
    expect(devices['disk-like']).toMatchObject({ type: 'b', major: 7, minor: 99, mode: '600', uid: 0, gid: 6 })
    expect(devices.pipe).toMatchObject({ type: 'p', mode: '644' })
  })
})
