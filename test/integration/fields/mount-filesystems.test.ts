import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { type Mount, withMounts } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** A directory of the host with `file` in it. */
function source(): string {
  const path = t.hostDirectory('source-')
  writeFileSync(`${path}/file`, 'of the host')
  return path
}

describe('file systems', () => {
  it('tmpfs with mode, size and flags', async () => {
    const report = await t.probe({
      spec: withMounts({
        destination: '/scratch',
        type: 'tmpfs',
        source: 'scratch',
        options: ['nosuid', 'nodev', 'noexec', 'mode=1770', 'size=1m', 'uid=5', 'gid=6'],
      }),
    })
    const mount = mountOn(report, '/scratch')
    expect(mount).toMatchObject({ type: 'tmpfs', source: 'scratch' })
    expect(mount?.options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev', 'noexec']))
    expect(mount?.superOptions).toEqual(expect.arrayContaining(['size=1024k', 'mode=1770', 'uid=5', 'gid=6']))
  })

  it('the size of a tmpfs holds', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'dd if=/dev/zero of=/scratch/file bs=1k count=2000'],
      spec: withMounts({ destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] }),
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/No space left on device/)
  })

  it('the mounts of the default spec', async () => {
    const report = await t.probe()
    const types = ['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys'].map(
      (point) => mountOn(report, point)?.type,
    )
    expect(types).toEqual(['proc', 'tmpfs', 'devpts', 'tmpfs', 'mqueue', 'sysfs'])
    expect(mountOn(report, '/dev')).toMatchObject({ options: expect.arrayContaining(['rw', 'nosuid']) })
    expect(mountOn(report, '/dev')?.superOptions).toEqual(expect.arrayContaining(['size=65536k', 'mode=755']))
    expect(mountOn(report, '/dev/pts')?.superOptions).toEqual(
      expect.arrayContaining(['gid=5', 'mode=620', 'ptmxmode=666']),
    )
    expect(mountOn(report, '/dev/shm')).toMatchObject({
      options: expect.arrayContaining(['nosuid', 'noexec', 'nodev']),
    })
    expect(mountOn(report, '/sys')).toMatchObject({
      options: expect.arrayContaining(['ro', 'nosuid', 'noexec', 'nodev']),
    })
  })

  it('a pty of the container is its own: /dev/pts begins empty', async () => {
    expect((await t.run({ args: ['ls', '/dev/pts'] })).stdout).toBe('ptmx\n')
  })

  const overlay = (...options: string[]): Mount => ({
    destination: '/mnt',
    type: 'overlay',
    source: 'overlay',
    options,
  })

  it('an overlay shows the layers of the host, and what is written goes to the upper one', async () => {
    const [lower, upper, work] = [source(), t.hostDirectory('upper-'), t.hostDirectory('work-')]
    const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
    const result = await t.run({
      args: ['sh', '-c', 'cat /mnt/file; echo new > /mnt/file'],
      spec: withMounts(overlay(...options)),
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the host', stderr: '' })
    expect([t.read(`${lower}/file`), t.read(`${upper}/file`)]).toEqual(['of the host', 'new\n'])
  })

  it('an overlay of two read-only layers with long names', async () => {
    const layers = ['one', 'other'].map((name) => {
      const path = join(t.hostDirectory('layer-'), 'long'.repeat(50))
      mkdirSync(path)
      writeFileSync(`${path}/${name}`, name)
      return path
    })
    const report = await t.probe({ spec: withMounts(overlay('ro', 'nosuid', `lowerdir=${layers.join(':')}`)) })
    expect(mountOn(report, '/mnt')).toMatchObject({ type: 'overlay', options: ['ro', 'nosuid', 'relatime'] })
    const listed = await t.run({
      args: ['sh', '-c', 'ls /mnt; touch /mnt/file'],
      spec: withMounts(overlay('ro', `lowerdir=${layers.join(':')}`)),
    })
    expect(listed).toMatchObject({ exitCode: 1, stdout: 'one\nother\n' })
    expect(listed.stderr).toContain('Read-only file system')
  })

  it('an overlay whose layer is missing fails and is named', async () => {
    const result = await t.run({ spec: withMounts(overlay('lowerdir=/no/such/layer')) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/overlay.*no such file or directory/)
  })

  it('an unknown file system fails and is named', async () => {
    const result = await t.run({ spec: withMounts({ destination: '/mnt', type: 'nosuchfs', source: 'x' }) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/nosuchfs|\/mnt/)
    t.expectNothingLeft()
  })
})
