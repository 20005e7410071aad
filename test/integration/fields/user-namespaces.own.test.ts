/** Where this runtime does more in user namespaces than others, or says more. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import { capabilitySets, type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { COUNT, FIRST, giveImage, mapIds, mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

const { mapped, shell } = mappedBundles(t)

describe('a rootfs that only root of the host may reach', () => {
  it('is the root of the container', async () => {
    const bundle = await shell('echo inside > /file; cat /file', {
      spec: ({ root }) => {
        root.readonly = false
      },
    })
    chmodSync(bundle.path, 0o700)
    expect((await t.run(bundle)).stdout).toBe('inside\n')
    expect(statSync(join(bundle.rootfs, 'file')).uid).toBe(FIRST)
  })
})

describe('mounts that CAP_SYS_ADMIN in the namespace cannot change', () => {
  it('a read-only bind stays read-only', async () => {
    const source = t.hostDirectory()
    chmodSync(source, 0o777)
    const bundle = await shell('mount -o remount,bind,rw /mnt; echo x > /mnt/file; umount /mnt/below', {
      process: { capabilities: capabilitySets('CAP_SYS_ADMIN') },
      spec: ({ mounts }) => mounts.push({ destination: '/mnt', source, options: ['rbind', 'ro'] }),
    })
    mkdirSync(join(bundle.rootfs, 'mnt'))
    await t.run(bundle)
    expect(() => statSync(join(source, 'file'))).toThrow(/ENOENT/)
  })
})

describe('propagation in a user namespace', () => {
  it.each(['rshared', 'runbindable', 'rslave', 'rprivate'])('of a bind: %s', async (propagation) => {
    const source = t.hostDirectory()
    const report = await t.probe(
      await mapped({
        args: ['/probe'],
        spec: ({ mounts }) => mounts.push({ destination: '/tmp', source, options: ['rbind', propagation] }),
      }),
    )
    const found = (mountOn(report, '/tmp')?.propagation ?? ['none']).join()
    if (propagation === 'rshared') expect(found).toMatch(/^shared:\d+/)
    if (propagation === 'runbindable') expect(found).toBe('unbindable')
    if (propagation === 'rprivate') expect(found).toBe('')
    if (propagation === 'rslave') expect(found).toMatch(/^(master:\d+.*)?$/)
  })

  it.each(['rshared', 'runbindable'])('of the rootfs: %s', async (propagation) => {
    const report = await t.probe(
      await mapped({
        args: ['/probe'],
        spec: (spec) => {
          spec.linux.rootfsPropagation = propagation
        },
      }),
    )
    expect(mountOn(report, '/')?.propagation.join()).toMatch(propagation === 'rshared' ? /shared:\d+/ : /unbindable/)
  })
})

describe('devices in a user namespace', () => {
  it('have the mode and the owner of config.json, and the host keeps its own', async () => {
    const before = statSync('/dev/null')
    const { stdout, stderr } = await t.run(
      await shell('stat -c "%n %a %u:%g %t:%T" /dev/fuse /dev/block /dev/queue /dev/zero', {
        spec: ({ linux }) => {
          linux.devices = [
            { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 1000, gid: 5 },
            { path: '/dev/block', type: 'b', major: 7, minor: 3, fileMode: 0o600 },
            { path: '/dev/queue', type: 'p', fileMode: 0o622, uid: 7 },
            { path: '/dev/zero', type: 'c', major: 1, minor: 5, fileMode: 0o444 },
          ]
        },
      }),
    )
    expect(stdout.trim().split('\n'), stderr).toEqual([
      '/dev/fuse 640 1000:5 a:e5',
      '/dev/block 600 0:0 7:3',
      '/dev/queue 622 7:0 0:0',
      '/dev/zero 444 0:0 1:5',
    ])
    const { mode, uid, gid } = statSync('/dev/null')
    expect([mode, uid, gid]).toEqual([before.mode, before.uid, before.gid])
  })

  it('cannot belong to ids that are not mapped', async () => {
    const result = await t.run(
      await shell('true', {
        spec: ({ linux }) => {
          linux.devices = [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, uid: COUNT }]
        },
      }),
    )
    expect(messageOf(result)).toContain('/dev/fuse cannot belong to user 65536')
    t.expectNothingLeft()
  })
})

describe('tmpcopyup in a user namespace', () => {
  it('keeps owners, and gives an empty one to root', async () => {
    const bundle = await shell('cat /etc/passwd >/dev/null && stat -c "%n %u:%g" /etc /etc/passwd /none /ids', {
      spec: ({ mounts }) => {
        mounts.push({ destination: '/etc', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] })
        mounts.push({ destination: '/none', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] })
        mounts.push({ destination: '/ids', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'uid=7', 'gid=8'] })
      },
    })
    const { stdout, stderr } = await t.run(bundle)
    expect(stdout, stderr).toBe('/etc 0:0\n/etc/passwd 0:0\n/none 0:0\n/ids 7:8\n')
  })
})

describe('stdio in a user namespace', () => {
  it("is the process's to open again", async () => {
    const bundle = await shell('echo through > /proc/self/fd/1', { process: { user: { uid: 7, gid: 7 } } })
    // A pipe of the shell's: Node gives sockets, which nobody can open again.
    const command = `"$0" --root "$1" run --bundle "$2" "$3" < /dev/null | cat`
    const args = ['-c', command, runtimePath, t.root, bundle.path, t.id()]
    expect(execFileSync('sh', args, { encoding: 'utf8' })).toBe('through\n')
  })
})

describe('a user namespace by path', () => {
  const kinds = { user: 'user', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts' } as const

  it('needs no mappings: they are those of the namespace', async () => {
    const infra = await t.running(await mapped({ args: ['sleep', '1000'] }))
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      process: { user: { uid: 5, gid: 5 } },
      spec: (spec) => {
        delete spec.hostname
        for (const [type, kind] of Object.entries(kinds)) setNamespace(spec, type, `/proc/${infra.pid}/ns/${kind}`)
      },
    })
    giveImage(bundle)
    const member = await t.running(bundle)
    for (const kind of Object.values(kinds))
      expect(namespaceOf(member.pid, kind), kind).toBe(namespaceOf(infra.pid, kind))
    expect(t.read(`/proc/${member.pid}/status`)).toMatch(new RegExp(`^Uid:(\t${FIRST + 5}){4}$`, 'm'))
    const { stdout } = await t.ok(['exec', '--user', '9', member.id, 'id', '-u'])
    expect(stdout).toBe('9\n')
  })

  it('that denies groups is refused: those of the runtime could not be taken away', async () => {
    const holder = spawn('unshare', ['--user', 'sleep', '1000'], { stdio: 'ignore' })
    t.defer(() => void holder.kill('SIGKILL'))
    await waitFor(() => t.read(`/proc/${holder.pid}/comm`) === 'sleep\n')
    writeFileSync(`/proc/${holder.pid}/setgroups`, 'deny')
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${file}`, `0 ${FIRST} ${COUNT}`)
    const result = await t.run({ spec: (spec) => setNamespace(spec, 'user', `/proc/${holder.pid}/ns/user`) })
    expect(messageOf(result)).toMatch(/linux\.namespaces\[\d\]\.path: the user namespace denies setgroups/)
    t.expectNothingLeft()
  })
})

describe('namespaces that are not listed', () => {
  it("a container that joins others has the host's cgroup namespace all the same", async () => {
    const first = await t.running()
    const second = await t.running({
      spec: (spec) => {
        shareWithHost(spec, 'cgroup')
        setNamespace(spec, 'network', `/proc/${first.pid}/ns/net`)
      },
    })
    expect(namespaceOf(second.pid, 'cgroup')).toBe(namespaceOf('self', 'cgroup'))
  })
})

describe('what cannot be is refused by its field', () => {
  const range = { containerID: 0, hostID: FIRST, size: COUNT }
  const cases: [string, (spec: Spec) => void][] = [
    [
      'linux.uidMappings: needs a user namespace in linux.namespaces',
      (spec) => {
        mapIds(spec)
        shareWithHost(spec, 'user')
      },
    ],
    ['linux.uidMappings: is missing', (spec) => mapIds(spec, [], [range])],
    ['linux.gidMappings: is missing', (spec) => mapIds(spec, [range], [])],
    ['linux.gidMappings: maps nothing to 0', (spec) => mapIds(spec, [range], [{ ...range, containerID: 1 }])],
    ['linux.uidMappings[1].size: must not be 0', (spec) => mapIds(spec, [range, { ...range, size: 0 }], [range])],
    [
      'process.user.uid: 65536 is not mapped',
      (spec) => {
        mapIds(spec)
        spec.process.user.uid = COUNT
      },
    ],
    [
      'process.user.additionalGids[1]: 70000 is not mapped',
      (spec) => {
        mapIds(spec)
        spec.process.user.additionalGids = [1, 70_000]
      },
    ],
    [
      'linux.namespaces: a user namespace needs a mount namespace of its own',
      (spec) => {
        mapIds(spec)
        setNamespace(spec, 'mount', `/proc/${holderPid()}/ns/mnt`)
      },
    ],
    [
      'linux.uidMappings: are not those of the user namespace',
      (spec) => {
        mapIds(spec)
        setNamespace(spec, 'user', `/proc/${holderPid()}/ns/user`)
      },
    ],
  ]
  let holder = 0
  const holderPid = (): number => holder

  it.each(cases)('%s', async (words, change) => {
    const child = spawn('unshare', ['--user', '--mount', 'sleep', '1000'], { stdio: 'ignore' })
    t.defer(() => void child.kill('SIGKILL'))
    holder = child.pid ?? 0
    await waitFor(() => t.read(`/proc/${holder}/comm`) === 'sleep\n')
    for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder}/${file}`, '0 200000 65536')
    const bundle = await t.bundle({ spec: change })
    expect(messageOf(await t.run(bundle))).toContain(words)
    t.expectNothingLeft()
  })
})

describe('the host', () => {
  it('sees nothing of the mounts on the way, with a resident monitor either', async () => {
    const bundle = await mapped({ args: ['sleep', '1000'] })
    const id = t.id()
    await t.ok(['--monitor=resident', 'create', '--bundle', bundle.path, id])
    await t.ok(['start', id])
    expect((await t.ok(['exec', id, 'id', '-u'])).stdout).toBe('0\n')
    expect(t.read('/proc/self/mountinfo')).not.toMatch(/libexec\/crio-lxc/)
    await t.ok(['delete', '--force', id])
  })
})
