import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { withMounts } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** A directory of the host with `file` in it. */
function source(): string {
  const path = t.hostDirectory('source-')
  writeFileSync(`${path}/file`, 'of the host')
  return path
}

describe('a destination behind a link of the image to what is not there yet', () => {
  it.each([
    ['absolute', '/made/there'],
    ['relative', '../made/there'],
    ['through another link', '/second/there'],
  ])('is made where the link leads (%s)', async (_way, target) => {
    const bundle = await t.bundle({
      args: ['sh', '-c', 'cat /made/there/dir/file /etc/lead/dir/file; stat -c %F /etc/lead'],
      spec: withMounts({ destination: '/etc/lead/dir', type: 'bind', source: source(), options: ['bind'] }),
    })
    mkdirSync(`${bundle.rootfs}/etc`, { recursive: true })
    symlinkSync(target, `${bundle.rootfs}/etc/lead`)
    symlinkSync('made', `${bundle.rootfs}/second`)
    const result = await t.run(bundle)
    expect(result).toMatchObject({ exitCode: 0, stdout: 'of the hostof the hostsymbolic link\n' })
  })

  it('is refused when links lead in a circle', async () => {
    const bundle = await t.bundle({
      spec: withMounts({ destination: '/circle/file', type: 'bind', source: source(), options: ['bind'] }),
    })
    symlinkSync('other', `${bundle.rootfs}/circle`)
    symlinkSync('circle', `${bundle.rootfs}/other`)
    const result = await t.run(bundle)
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/too many (levels of )?symbolic links|circle/)
    t.expectNothingLeft()
  })
})

describe('hostile destinations', () => {
  it('an absolute link stays inside the rootfs', async () => {
    const [outside, path] = [t.hostDirectory('outside-'), source()]
    const bundle = await t.bundle({
      args: ['cat', `${outside}/new/file`],
      spec: withMounts({ destination: '/evil/new', type: 'bind', source: path, options: ['bind'] }),
    })
    symlinkSync(outside, `${bundle.rootfs}/evil`)
    const result = await t.run(bundle)
    if (result.exitCode === 0) expect(result.stdout).toBe('of the host')
    expect(listTree(outside)).toEqual([])
  })

  it('a relative link out of the rootfs stays inside', async () => {
    const [outside, path] = [t.hostDirectory('outside-'), source()]
    const bundle = await t.bundle({
      spec: withMounts({ destination: '/evil/new', type: 'bind', source: path, options: ['bind'] }),
    })
    symlinkSync(`../../../../../../../..${outside}`, `${bundle.rootfs}/evil`)
    await t.run(bundle)
    expect(listTree(outside)).toEqual([])
  })

  it('a destination with .. stays inside', async () => {
    const path = source()
    await t.run({
      spec: withMounts({
        destination: `/../../../..${t.directory}/escaped`,
        type: 'bind',
        source: path,
        options: ['bind'],
      }),
    })
    expect(existsSync(`${t.directory}/escaped`)).toBe(false)
  })

  it.each(['/proc', '/proc/self'])('a tmpfs on %s is refused (CVE-2019-19921)', async (destination) => {
    const result = await t.run({
      spec: (spec) => {
        if (destination === '/proc') spec.mounts = spec.mounts.filter((mount) => mount.destination !== '/proc')
        spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' })
      },
    })
    expect(result.exitCode).toBe(1)
    t.expectNothingLeft()
  })

  it.each([
    ['bind', ['bind']],
    ['none', ['bind']],
    ['', ['rbind', 'ro']],
    ['proc', ['bind']],
  ])('a bind mount over /proc, of type "%s" with %j, is refused', async (type, options) => {
    const result = await t.run({ spec: withMounts({ destination: '/proc', type, source: source(), options }) })
    expect(result.exitCode).toBe(1)
    t.expectNothingLeft()
  })

  it.each([
    ['bind', ['rbind']],
    ['none', ['rbind']],
    ['', ['rbind', 'nosuid']],
    [undefined, ['rbind']],
  ])("the host's /proc may be bound, by type %j and options %j", async (type, options) => {
    const result = await t.run({
      args: ['cat', '/proc/self/mountinfo'],
      spec: (spec) => {
        spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/proc')
        spec.mounts.unshift({ destination: '/proc', source: '/proc', options, ...(type === undefined ? {} : { type }) })
        spec.linux.namespaces = spec.linux.namespaces?.filter((namespace) => namespace.type !== 'pid')
      },
    })
    expect(result.exitCode, result.stderr).toBe(0)
    expect(result.stdout).toContain(' /proc ')
  })
})
