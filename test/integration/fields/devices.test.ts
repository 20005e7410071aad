import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { modeAndOwner } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import type { DeviceRule } from '../../support/spec.ts'

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

  it('u is a character device; without a mode and an owner it is 0666 and of root, whatever the umask', async () => {
    const { devices } = await t.probe(
      {
        spec: (spec) => {
          spec.linux.devices = [{ path: '/dev/unbuffered', type: 'u', major: 10, minor: 229 }]
        },
      },
      { through: [program('launch'), '--umask', '0077', '--'] },
    )
    expect(devices.unbuffered).toMatchObject({ type: 'c', major: 10, minor: 229, mode: '666', uid: 0, gid: 0 })
  })

  it('may lie anywhere, and its directories are made', async () => {
    const result = await t.run({
      args: ['stat', '-c', '%F %t:%T %a %u:%g', '/srv/made/node', '/srv/pipe'],
      spec: (spec) => {
        spec.root.readonly = false
        spec.linux.devices = [
          { path: '/srv/made/node', type: 'b', major: 7, minor: 300, fileMode: 0o4640, uid: 3, gid: 4 },
          { path: '/srv/pipe', type: 'p', fileMode: 0o600, uid: 5, gid: 6 },
        ]
      },
    })
    expect(result.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^block special file 7:12c 4?640 3:4$/),
      'fifo 0:0 600 5:6',
    ])
  })

  it('takes the place of a default one of the same path', async () => {
    const { devices } = await t.probe({
      spec: (spec) => {
        spec.linux.devices = [{ path: '/dev/full', type: 'c', major: 1, minor: 7, fileMode: 0o600, uid: 7, gid: 8 }]
      },
    })
    expect(devices.full).toMatchObject({ type: 'c', major: 1, minor: 7, mode: '600', uid: 7, gid: 8 })
  })
})

describe('linux.resources.devices', () => {
  const sets = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE', 'CAP_SYSLOG']
  const capabilities = { bounding: sets, effective: sets, permitted: sets }

  /** What becomes of a command in a container with these rules and /dev/kmsg as c 1:11. */
  async function withRules(command: string, devices: DeviceRule[]) {
    const { exitCode, stderr } = await t.run({
      args: ['sh', '-c', command],
      process: { capabilities },
      spec: (spec) => {
        spec.linux.devices = [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o666, uid: 0, gid: 0 }]
        spec.linux.resources = { devices }
      },
    })
    return { exitCode, stderr }
  }

  const read = 'head -c 0 /dev/kmsg'
  const write = 'dd if=/dev/null of=/dev/kmsg'
  const denyAll: DeviceRule = { allow: false, access: 'rwm' }
  const refused = { exitCode: 1, stderr: expect.stringMatching(/Operation not permitted/) }

  it('a device that no rule allows can be made, and not used', async () => {
    expect(await withRules('mknod /dev/other c 1 11', [denyAll])).toMatchObject({ exitCode: 0 })
    expect(await withRules(read, [denyAll])).toMatchObject(refused)
  })

  it('without rules there are the devices of every container and no others', async () => {
    expect(await withRules(read, [])).toMatchObject(refused)
    expect(await withRules('head -c 1 /dev/zero', [])).toMatchObject({ exitCode: 0 })
  })

  it('an access is allowed alone', async () => {
    const rules: DeviceRule[] = [denyAll, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' }]
    expect(await withRules(read, rules)).toMatchObject({ exitCode: 0 })
    expect(await withRules(write, rules)).toMatchObject(refused)
  })

  it('-1 and an absent number are any number', async () => {
    const rules: DeviceRule[] = [denyAll, { allow: true, type: 'c', major: 1, minor: -1, access: 'w' }]
    expect(await withRules(write, rules)).toMatchObject({ exitCode: 0 })
    expect(await withRules(read, [denyAll, { allow: true, type: 'c', minor: 11, access: 'r' }])).toMatchObject({
      exitCode: 0,
    })
  })

  it('a later rule takes back what an earlier one allowed', async () => {
    const rules: DeviceRule[] = [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 11, access: 'rw' },
    ]
    expect(await withRules(read, rules.slice(0, 1))).toMatchObject({ exitCode: 0 })
    expect(await withRules(read, rules)).toMatchObject(refused)
    // A number for experiments, without a driver: that the kernel looks for one shows that the rules let it.
    const other = await withRules('mknod /dev/other c 240 0 && head -c 1 /dev/other', rules)
    expect(other.stderr).toMatch(/No such device/)
  })

  it('without a rule that denies all, nothing else is allowed all the same', async () => {
    const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' }]
    expect(await withRules(read, rules)).toMatchObject(refused)
  })
})
