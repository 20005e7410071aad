import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

// runc 1.1.5 makes the links of /dev on the host here (CVE-2026-41579).
requires('root', 'own-runtime')
const t = useContainers()

describe('/dev of the image as a link out of the rootfs', () => {
  it.each([
    ['absolute', ''],
    ['relative', '../../../../../..'],
  ])('%s, a tmpfs in the spec: the host is untouched', async (_, up) => {
    const outside = t.hostDirectory('outside-')
    writeFileSync(`${outside}/canary`, 'canary')
    const bundle = await t.bundle()
    rmSync(`${bundle.rootfs}/dev`, { recursive: true })
    symlinkSync(`${up}${outside}`, `${bundle.rootfs}/dev`)
    await t.run(bundle)
    expect(listTree(outside)).toEqual(['canary'])
  })

  it.each([
    ['absolute', ''],
    ['relative', '../../../../../..'],
  ])('%s, no mount in the spec: the host is untouched', async (_, up) => {
    const outside = t.hostDirectory('outside-')
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
      },
    })
    rmSync(`${bundle.rootfs}/dev`, { recursive: true })
    symlinkSync(`${up}${outside}`, `${bundle.rootfs}/dev`)
    await t.run(bundle)
    expect(listTree(outside)).toEqual([])
  })
})

describe('mounts inside of /proc', () => {
  it('a tmpfs on /proc/sys is refused and named', async () => {
    const result = await t.run({
      spec: (spec) => spec.mounts.push({ destination: '/proc/sys', type: 'tmpfs', source: 'tmpfs' }),
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/\/proc\/sys/)
    t.expectNothingLeft()
  })
})
