import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Mount, Spec } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** Mode and owner of /mnt in a container with these mounts, whose image `prepare` has changed. */
async function rootOf(mounts: Mount[], prepare: (rootfs: string) => void): Promise<string> {
  const bundle = await t.bundle({
    args: ['stat', '-L', '-c', '%a %u:%g', '/mnt'],
    spec: (spec: Spec) => {
      spec.root.readonly = false
      spec.mounts.push(...mounts)
    },
  })
  prepare(bundle.rootfs)
  return (await t.run(bundle)).stdout.trim()
}

const tmpfs = (...options: string[]): Mount => ({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options })

/** A directory of the image that belongs to nobody's user 12. */
const directory =
  (mode: string, name = 'mnt') =>
  (rootfs: string): void =>
    void execFileSync('sh', ['-c', 'mkdir -p "$0"; chown 12:34 "$0"; chmod "$1" "$0"', `${rootfs}/${name}`, mode])

describe('a tmpfs without mode=', () => {
  it.each(['711', '2770', '4755', '1777'])(
    'has the mode of the directory that it comes to lie on (%s), and root as its owner',
    async (mode) => {
      expect(await rootOf([tmpfs()], directory(mode))).toBe(`${mode} 0:0`)
    },
  )

  it.each([['ro'], ['size=1m'], ['tmpcopyup']])('has it with %s too', async (option) => {
    expect(await rootOf([tmpfs(option)], directory('711'))).toBe('711 0:0')
  })

  it('belongs to whom the options name', async () => {
    expect(await rootOf([tmpfs('uid=5', 'gid=6')], directory('711'))).toBe('711 5:6')
    expect(await rootOf([tmpfs('uid=5', 'tmpcopyup')], directory('711'))).toBe('711 5:0')
  })

  it('takes it from where a link of the image leads', async () => {
    const mode = await rootOf([tmpfs()], (rootfs) => {
      directory('710', 'elsewhere')(rootfs)
      symlinkSync('/elsewhere', `${rootfs}/mnt`)
    })
    expect(mode).toBe('710 0:0')
  })

  it('takes it from what an earlier mount has there', async () => {
    const source = t.hostDirectory()
    directory('1750', 'deep')(source)
    const mounts = [
      { destination: '/volume', type: 'bind', source, options: ['bind'] },
      { ...tmpfs(), destination: '/volume/deep' },
      { destination: '/mnt', type: 'bind', source: '/etc', options: ['bind'] },
    ]
    const result = await t.run({
      args: ['stat', '-c', '%a %u:%g', '/volume/deep'],
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts.push(...mounts)
      },
    })
    expect(result.stdout).toBe('1750 0:0\n')
  })

  it("is everybody's where nothing has been", async () => {
    expect(await rootOf([tmpfs()], () => {})).toBe('1777 0:0')
  })
})

it('a tmpfs does not change the image', async () => {
  let found = ''
  const mode = await rootOf([tmpfs('mode=1700')], (rootfs) => {
    directory('711')(rootfs)
    writeFileSync(`${rootfs}/mnt/file`, '')
    found = rootfs
  })
  expect(mode).toMatch(/ 0:0$/)
  expect(execFileSync('stat', ['-c', '%a %u:%g', `${found}/mnt`], { encoding: 'utf8' })).toBe('711 12:34\n')
})
