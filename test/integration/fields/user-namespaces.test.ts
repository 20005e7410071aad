/** config-linux.md, "User namespace mappings", and what a user namespace changes of all other fields. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { HookRecorder } from '../../support/hook-recorder.ts'
import { capabilityMask, mountOn, parseMountinfo, parseProbe } from '../../support/probe.ts'
import { namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { COUNT, FIRST, giveImage, mapIds, mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

const { mapped, shell } = mappedBundles(t)

const sets = (...names: string[]) => ({ bounding: names, effective: names, permitted: names })

describe('a new user namespace', () => {
  it('has the ids of the mappings', async () => {
    const { stdout } = await t.run(await shell('cat /proc/self/uid_map /proc/self/gid_map; id -u; stat -c %u:%g /etc'))
    const map = ['0', String(FIRST), String(COUNT)]
    expect(stdout.split('\n').map((line) => line.trim().split(/\s+/))).toEqual([map, map, ['0'], ['0:0'], ['']])
  })

  it('is a user of the host without rights there', async () => {
    const process = { user: { uid: 7, gid: 8, additionalGids: [9] } }
    const { pid } = await t.running(await mapped({ args: ['sleep', '1000'], process }))
    expect(namespaceOf(pid, 'user')).not.toBe(namespaceOf('self', 'user'))
    const status = t.read(`/proc/${pid}/status`)
    expect(status).toMatch(new RegExp(`^Uid:(\t${FIRST + 7}){4}$`, 'm'))
    expect(status).toMatch(new RegExp(`^Gid:(\t${FIRST + 8}){4}$`, 'm'))
    expect(status).toMatch(new RegExp(`^Groups:\t${FIRST + 9} *$`, 'm'))
  })

  it('takes several ranges, for users others than for groups', async () => {
    const uids = [
      { containerID: 0, hostID: 200_000, size: 10 },
      { containerID: 1000, hostID: 300_000, size: 1 },
    ]
    const gids = [{ containerID: 0, hostID: 400_000, size: 100 }]
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      process: { user: { uid: 1000, gid: 99 } },
      spec: (spec) => mapIds(spec, uids, gids),
    })
    giveImage(bundle, 200_000)
    const { pid } = await t.running(bundle)
    expect(t.read(`/proc/${pid}/status`)).toMatch(/^Uid:(\t300000){4}$/m)
    expect(t.read(`/proc/${pid}/status`)).toMatch(/^Gid:(\t400099){4}$/m)
  })

  it('owns every other new namespace', async () => {
    const { stdout } = await t.run(
      await shell(
        'hostname other; hostname; stat -c %u /proc/sys/net/ipv4/ip_forward /dev/mqueue /dev/shm /dev/pts /proc/self/fd',
        { process: { capabilities: sets('CAP_SYS_ADMIN') } },
      ),
    )
    expect(stdout).toBe('other\n0\n0\n0\n0\n0\n')
  })

  it('has exactly the capabilities of config.json', async () => {
    const report = await t.probe(
      await mapped({ args: ['/probe'], process: { capabilities: sets('CAP_SYS_RESOURCE', 'CAP_KILL') } }),
    )
    const mask = capabilityMask('SYS_RESOURCE', 'KILL')
    expect(report.capabilities).toMatchObject({ effective: mask, permitted: mask, bounding: mask })
  })

  it('lives as every container does', async () => {
    const { id, pid } = await t.create(await mapped({ args: ['sleep', '1000'] }))
    expect((await t.state(id)).status).toBe('created')
    await t.ok(['start', id])
    expect(await t.state(id)).toMatchObject({ status: 'running', pid })
    await t.ok(['kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    t.expectNothingLeft()
  })
})

describe('mounts in a user namespace', () => {
  it('binds what only root of the host can reach', async () => {
    const secret = t.hostDirectory()
    mkdirSync(join(secret, 'inside'))
    writeFileSync(join(secret, 'inside/file'), 'reached\n')
    chmodSync(secret, 0o700)
    const bundle = await shell('cat /mnt/file', {
      spec: ({ mounts }) => mounts.push({ destination: '/mnt', source: join(secret, 'inside'), options: ['rbind'] }),
    })
    mkdirSync(join(bundle.rootfs, 'mnt'))
    expect((await t.run(bundle)).stdout).toBe('reached\n')
    expect(statSync(join(secret, 'inside')).uid).toBe(0)
  })

  it("keeps the flags of the source's mount, which nobody inside can take away", async () => {
    const source = t.hostDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,nodev,noexec,ro', 'tmpfs', source])
    t.defer(() => void execFileSync('umount', [source]))
    const bundle = await shell(
      'mount -o remount,bind,rw,suid,dev,exec /mnt 2>/dev/null; touch /mnt/x 2>/dev/null; cat /proc/self/mountinfo',
      {
        process: { capabilities: sets('CAP_SYS_ADMIN') },
        spec: ({ mounts }) => mounts.push({ destination: '/mnt', source, options: ['rbind'] }),
      },
    )
    mkdirSync(join(bundle.rootfs, 'mnt'))
    const { stdout } = await t.run(bundle)
    const mount = parseMountinfo(stdout).find(({ point }) => point === '/mnt')
    expect(mount?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']))
  })

  it('makes tmpfs, devpts, proc and sysfs that belong to its root', async () => {
    const { stdout, stderr } = await t.run(
      await shell('for d in /dev /dev/shm /dev/pts /dev/mqueue; do touch $d/new 2>/dev/null; stat -c "%u %n" $d; done'),
    )
    expect(stdout, stderr).toBe('0 /dev\n0 /dev/shm\n0 /dev/pts\n0 /dev/mqueue\n')
  })

  it('shows its own cgroup alone, with and without a cgroup namespace', async () => {
    for (const cgroup of [true, false]) {
      const report = await t.probe(
        await mapped({
          args: ['/probe'],
          spec: (spec) => {
            if (!cgroup) shareWithHost(spec, 'cgroup')
            const options = ['nosuid', 'noexec', 'nodev', 'relatime', 'ro']
            if (!spec.mounts.some(({ type }) => type === 'cgroup'))
              spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options })
          },
        }),
      )
      const shown = parseMountinfo(report.mountinfo ?? '').filter(({ type }) => type.startsWith('cgroup'))
      expect(shown.length).toBeGreaterThan(0)
      for (const { options, root } of shown) {
        expect(options).toContain('ro')
        expect(root).not.toBe(cgroup ? '' : '/')
      }
    }
  })

  it('hides and protects paths', async () => {
    const report = await t.probe(
      await mapped({
        args: ['/probe'],
        spec: ({ linux }) => {
          linux.maskedPaths = ['/proc/keys', '/proc/scsi', '/etc']
          linux.readonlyPaths = ['/proc/sys', '/tmp']
        },
      }),
    )
    expect(mountOn(report, '/proc/keys')?.root).toMatch(/^\/(?:null|0)$/)
    expect(mountOn(report, '/etc')?.type).toBe('tmpfs')
    expect(mountOn(report, '/tmp')?.options).toContain('ro')
    expect(mountOn(report, '/proc/sys')?.options).toContain('ro')
  })

  it.each(['private', 'rslave'])('rootfsPropagation %s', async (propagation) => {
    const report = await t.probe(
      await mapped({
        args: ['/probe'],
        spec: (spec) => {
          spec.linux.rootfsPropagation = propagation
        },
      }),
    )
    const { propagation: found } = mountOn(report, '/') ?? { propagation: ['none'] }
    expect(found.join()).toMatch(propagation === 'private' ? /^$/ : /^(|master:\d+)$/)
  })

  it('an image that leads mounts to the host changes nothing there', async () => {
    const victim = t.hostDirectory()
    const bundle = await shell('true', {
      spec: ({ mounts }) => {
        mounts.push({ destination: '/evil/sub', type: 'tmpfs', source: 'tmpfs', options: [] })
        mounts.push({ destination: '/link', source: t.hostDirectory(), options: ['rbind'] })
      },
    })
    symlinkSync(victim, join(bundle.rootfs, 'evil'))
    symlinkSync(join(victim, 'made'), join(bundle.rootfs, 'link'))
    await t.run(bundle)
    expect(execFileSync('find', [victim], { encoding: 'utf8' })).toBe(`${victim}\n`)
    expect(t.read('/proc/self/mountinfo')).not.toContain(victim)
    const { mode, uid } = lstatSync('/dev/null')
    expect([mode & 0o7777, uid]).toEqual([0o666, 0])
  })
})

describe('devices in a user namespace', () => {
  it('has the default ones, which work', async () => {
    const report = await t.probe(await mapped({ args: ['/probe'] }))
    for (const name of ['null', 'zero', 'full', 'random', 'urandom'])
      expect(report.devices[`/dev/${name}`] ?? report.devices[name], name).toMatchObject({ type: 'c', opens: true })
  })

  it('has those of linux.devices', async () => {
    const { stdout, stderr } = await t.run(
      await shell('stat -c "%F %t:%T" /dev/fuse', {
        spec: ({ linux }) => {
          linux.devices = [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229 }]
        },
      }),
    )
    expect(stdout, stderr).toBe('character special file a:e5\n')
  })
})

describe('sysctl in a user namespace', () => {
  it('sets net.* and kernel.* of its namespaces', async () => {
    const { stdout, stderr } = await t.run(
      await shell('cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmax', {
        spec: ({ linux }) => {
          linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '321', 'kernel.shmmax': '54321' }
        },
      }),
    )
    expect(stdout, stderr).toBe('321\n54321\n')
  })
})

describe('the process in a user namespace', () => {
  it('has its limits, its score and its filter', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['sethostname'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
    }
    for (const noNewPrivileges of [true, false]) {
      const report = await t.probe(
        await mapped({
          args: ['/probe'],
          process: {
            noNewPrivileges,
            user: { uid: 1000, gid: 1000 },
            oomScoreAdj: 500,
            rlimits: [
              { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
              { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
            ],
          },
          spec: (spec) => {
            spec.linux.seccomp = seccomp
          },
        }),
      )
      expect(report).toMatchObject({ seccomp: 2, noNewPrivs: Number(noNewPrivileges) })
      expect(Number(report.oomScoreAdj)).toBe(500)
      expect(report.rlimits.NOFILE ?? report.rlimits.RLIMIT_NOFILE).toEqual(['100', '200'])
      expect(report.rlimits.CORE ?? report.rlimits.RLIMIT_CORE).toEqual(['0', '4096'])
    }
  })
})

describe('exec into a user namespace', () => {
  it('is root of it by default, with the ids of the container', async () => {
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const report = parseProbe((await t.ok(['exec', id, '/probe'])).stdout)
    expect(report.uid).toEqual([0, 0, 0])
    expect(report.groups).toEqual([])
    expect(report.namespaces['user']).toBe(namespaceOf(pid, 'user'))
  })

  it('takes another user', async () => {
    const { id } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const { stdout } = await t.ok(['exec', '--user', '7:8', '--additional-gids', '9', id, 'id'])
    expect(stdout).toMatch(/uid=7\S* gid=8\S* groups=.*9/)
  })

  it('refuses a user that is not mapped', async () => {
    const { id } = await t.running(await mapped({ args: ['sleep', '1000'] }))
    expect((await t.runtime(['exec', '--user', '70000', id, 'id'])).exitCode).not.toBe(0)
  })
})

describe('a user namespace by path', () => {
  const kinds = { user: 'user', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' } as const

  it('is joined with all others of another container, and has its ids', async () => {
    const infra = await t.running(
      await mapped({ args: ['sleep', '4321'], spec: (spec) => setNamespace(spec, 'cgroup') }),
    )
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      process: { user: { uid: 5, gid: 5 } },
      spec: (spec) => {
        delete spec.hostname
        mapIds(spec)
        for (const [type, kind] of Object.entries(kinds)) setNamespace(spec, type, `/proc/${infra.pid}/ns/${kind}`)
      },
    })
    giveImage(bundle)
    const member = await t.running(bundle)
    for (const kind of Object.values(kinds))
      expect(namespaceOf(member.pid, kind), kind).toBe(namespaceOf(infra.pid, kind))
    expect(t.read(`/proc/${member.pid}/status`)).toMatch(new RegExp(`^Uid:(\t${FIRST + 5}){4}$`, 'm'))
    expect((await t.ok(['exec', member.id, 'ps', '-o', 'args'])).stdout).toContain('sleep 4321')
  })

  it('may be a file that is bound somewhere, with the same mappings beside it', async () => {
    const holder = spawn('unshare', ['--user', 'sleep', '1000'], { stdio: 'ignore' })
    t.defer(() => void holder.kill('SIGKILL'))
    await waitFor(() => t.read(`/proc/${holder.pid}/comm`) === 'sleep\n')
    writeFileSync(`/proc/${holder.pid}/uid_map`, `0 ${FIRST} ${COUNT}`)
    writeFileSync(`/proc/${holder.pid}/gid_map`, `0 ${FIRST} ${COUNT}`)
    const file = join(t.hostDirectory(), 'userns')
    writeFileSync(file, '')
    execFileSync('mount', ['--bind', `/proc/${holder.pid}/ns/user`, file])
    t.defer(() => void execFileSync('umount', [file]))
    const bundle = await t.bundle({
      args: ['cat', '/proc/self/uid_map'],
      spec: (spec) => {
        mapIds(spec)
        setNamespace(spec, 'user', file)
      },
    })
    giveImage(bundle)
    const { stdout, stderr } = await t.run(bundle)
    expect(stdout.trim().split(/\s+/), stderr).toEqual(['0', String(FIRST), String(COUNT)])
  })
})

describe('hooks of a container in a user namespace', () => {
  it('run all, those of the runtime as root of the host and the others in the namespace', async () => {
    const directory = t.hostDirectory()
    const recorder = new HookRecorder(directory)
    const bundle = await mapped({
      spec: (spec) => {
        recorder.bind(spec)
        const record = (name: string) =>
          recorder.shell(
            `cat > /dev/null; readlink /proc/self/ns/user > ${directory}/$1.user; chmod 666 ${directory}/$1.user`,
            name,
          )
        spec.hooks = Object.fromEntries(
          ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map((name) => [
            name,
            [record(name)],
          ]),
        )
      },
    })
    for (const file of directory.split('/').slice(1).keys())
      mkdirSync(join(bundle.rootfs, ...directory.split('/').slice(1, file + 2)), { recursive: true })
    giveImage(bundle)
    const { id } = await t.create(bundle)
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    const host = namespaceOf('self', 'user')
    const seen = (name: string) => t.read(`${directory}/${name}.user`).trim()
    for (const name of ['prestart', 'createRuntime', 'poststart', 'poststop']) expect(seen(name), name).toBe(host)
    for (const name of ['createContainer', 'startContainer']) expect(seen(name), name).not.toBe(host)
    expect(statSync(`${directory}/createContainer.user`).uid).toBe(FIRST)
  })
})

describe('mappings that cannot be', () => {
  const range = { containerID: 0, hostID: FIRST, size: COUNT }
  it.each([
    ['none for a new one', (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [])],
    [
      'overlapping',
      (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [range, { ...range, containerID: 65_535, size: 1 }]),
    ],
    [
      'of no ids',
      (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [range, { containerID: 70_000, hostID: 1, size: 0 }]),
    ],
    ['without root', (spec: Parameters<typeof mapIds>[0]) => mapIds(spec, [{ ...range, containerID: 1 }])],
    [
      'without the user',
      (spec: Parameters<typeof mapIds>[0]) => {
        mapIds(spec)
        spec.process.user.uid = COUNT
      },
    ],
    [
      'other than the joined namespace has',
      (spec: Parameters<typeof mapIds>[0]) => {
        mapIds(spec)
        setNamespace(spec, 'user', '/proc/1/ns/net')
      },
    ],
  ])('are refused: %s', async (_, change) => {
    const bundle = await t.bundle({ spec: change })
    giveImage(bundle)
    expect((await t.run(bundle)).exitCode).toBe(1)
    t.expectNothingLeft()
  })
})

describe("a new user namespace with the host's processes", () => {
  /** As podman has it, because nobody there may mount a procfs that shows them. */
  const hostProcesses = (spec: Spec): void => {
    shareWithHost(spec, 'pid')
    const options = ['rbind', 'nosuid', 'noexec', 'nodev']
    const proc = { destination: '/proc', type: 'bind', source: '/proc', options }
    spec.mounts = spec.mounts.map((mount) => (mount.destination === '/proc' ? proc : mount))
  }

  it('sees them, and can change nothing below /proc', async () => {
    const script = [
      'cat /proc/self/uid_map',
      'ls -d /proc/1 /proc/$$',
      'cat /proc/1/environ',
      'ls /proc/1/root/',
      'echo x >/proc/sys/kernel/core_pattern',
      'mount -o remount,bind,rw /proc/sys',
      'umount /proc/sys',
      'echo again >/proc/sys/kernel/core_pattern',
      'cat /proc/keys',
    ].join('; ')
    const capabilities = sets('CAP_SYS_ADMIN', 'CAP_SYS_PTRACE')
    const process = { capabilities }
    const before = t.read('/proc/sys/kernel/core_pattern')
    const { stdout, stderr } = await t.run(await shell(script, { spec: hostProcesses, process }))
    expect(stdout.trim().split(/\s+/)).toEqual([
      '0',
      `${FIRST}`,
      `${COUNT}`,
      '/proc/1',
      expect.stringMatching(/^\/proc\/\d+$/),
    ])
    for (const refused of [/environ.*denied/, /root.*denied/, /core_pattern.*(Read-only|denied)/])
      expect(stderr).toMatch(refused)
    expect(t.read('/proc/sys/kernel/core_pattern')).toBe(before)
  })

  it('has no more mounts below /proc than with processes of its own', async () => {
    const mountsOf = async (spec: (spec: Spec) => void): Promise<string[]> => {
      const { stdout } = await t.run(await shell('cat /proc/self/mountinfo', { spec }))
      return parseMountinfo(stdout).flatMap(({ point, type }) =>
        point.startsWith('/proc/') ? [`${type} ${point}`] : [],
      )
    }
    const own = await mountsOf(() => {})
    const others = await mountsOf(hostProcesses)
    // What the host has mounted below its own /proc comes with it.
    const host = parseMountinfo(t.read('/proc/self/mountinfo')).map(({ point, type }) => `${type} ${point}`)
    expect(others.filter((mount) => !host.includes(mount)).sort()).toEqual(own.sort())
  })

  it('can be entered, and has its own sysctls', async () => {
    const spec = (spec: Spec): void => {
      hostProcesses(spec)
      spec.linux.sysctl = { 'net.ipv4.ip_default_ttl': '77', 'kernel.shm_rmid_forced': '1' }
    }
    const { id, pid } = await t.running(await mapped({ args: ['sleep', '1000'], spec }))
    const files = ['/proc/sys/net/ipv4/ip_default_ttl', '/proc/sys/kernel/shm_rmid_forced']
    const { stdout } = await t.ok(['exec', id, 'cat', ...files, `/proc/${pid}/comm`])
    expect(stdout).toBe('77\n1\nsleep\n')
  })
})
