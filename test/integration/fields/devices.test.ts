import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { modeAndOwner } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { capabilitySets, type Device, type DeviceRule } from '../../support/spec.ts'

requires('root')
const t = useContainers()

type DeviceNode = Omit<Device, 'path'>

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

describe('linux.devices where the image has something already', () => {
  /** A container with the device at /srv/node and in the image, before, what `make` makes there. */
  async function over(device: DeviceNode, make: string[]) {
    const bundle = await t.bundle({
      args: ['stat', '-c', '%F %t:%T %a %u:%g', '/srv/node'],
      spec: (spec) => {
        spec.root.readonly = false
        spec.linux.devices = [{ path: '/srv/node', ...device }]
      },
    })
    mkdirSync(`${bundle.rootfs}/srv`)
    const node = `${bundle.rootfs}/srv/node`
    const [command = '', ...args] = make.map((word) => (word === 'NODE' ? node : word))
    execFileSync(command, args)
    return t.run(bundle)
  }

  const fuse: DeviceNode = { type: 'c', major: 10, minor: 229, fileMode: 0o600 }

  it.each([
    [
      'the node of an earlier start',
      fuse,
      ['mknod', '--mode=600', 'NODE', 'c', '10', '229'],
      'character special file a:e5 600',
    ],
    [
      'one with another mode',
      fuse,
      ['mknod', '--mode=640', 'NODE', 'c', '10', '229'],
      'character special file a:e5 640',
    ],
    [
      'a block device',
      { type: 'b', major: 7, minor: 300 },
      ['mknod', '--mode=600', 'NODE', 'b', '7', '300'],
      'block special file 7:12c 600',
    ],
    ['a fifo', { type: 'p' }, ['mknod', '--mode=640', 'NODE', 'p'], 'fifo 0:0 640'],
  ] satisfies [string, DeviceNode, string[], string][])('%s is kept', async (_, device, make, kept) => {
    expect(await over(device, make)).toMatchObject({ exitCode: 0, stdout: `${kept} 0:0\n` })
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    // config-linux.md, "Devices": "If a file already exists at path that does not match the requested device, the runtime MUST
    // generate an error." runc 1.1.5 goes on.
    it.each([
      ['another minor', fuse, ['mknod', '--mode=600', 'NODE', 'c', '10', '230']],
      ['another major', fuse, ['mknod', '--mode=600', 'NODE', 'c', '11', '229']],
      ['a block device of the same numbers', fuse, ['mknod', '--mode=600', 'NODE', 'b', '10', '229']],
      ['a fifo', fuse, ['mknod', '--mode=600', 'NODE', 'p']],
      ['a device where a fifo is asked for', { type: 'p' }, ['mknod', '--mode=600', 'NODE', 'c', '10', '229']],
      ['a file', fuse, ['touch', 'NODE']],
      ['a directory', fuse, ['mkdir', 'NODE']],
      ['a link to the device', fuse, ['ln', '-s', '/dev/fuse', 'NODE']],
    ] satisfies [string, DeviceNode, string[]][])('%s is an error', async (_, device, make) => {
      const result = await over(device, make)
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(/make the device node \/srv\/node: something else is there/)
    })
  })

  it('what is mounted in the place of a default device stays', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'stat -c %t:%T /dev/random; stat -c %t:%T /dev/null'],
      spec: ({ mounts }) => {
        for (const name of ['random', 'null'])
          mounts.push({ destination: `/dev/${name}`, type: 'bind', source: '/dev/zero', options: ['bind'] })
      },
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: '1:5\n1:5\n' })
  })
})

describe('linux.resources.devices', () => {
  const capabilities = capabilitySets('CAP_MKNOD', 'CAP_DAC_OVERRIDE', 'CAP_SYSLOG')

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
