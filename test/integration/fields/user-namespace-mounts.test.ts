/** Mounts, paths and devices of a container in a user namespace. */
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn, parseMountinfo } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { capabilitySets, shareWithHost } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'

requires('root')
const t = useContainers()

const { mapped, shell } = mappedBundles(t)

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
        process: { capabilities: capabilitySets('CAP_SYS_ADMIN') },
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
