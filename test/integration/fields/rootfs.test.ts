import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { listTree, modeAndOwner } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('root', () => {
  it('readonly true cannot be written', async () => {
    const result = await t.run({ args: ['touch', '/new'] })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/Read-only file system/)
  })

  it('readonly false can', async () => {
    const bundle = await t.bundle({
      args: ['touch', '/new'],
      spec: (spec) => {
        spec.root.readonly = false
      },
    })
    expect(await t.run(bundle)).toMatchObject({ exitCode: 0 })
    expect(listTree(bundle.rootfs)).toContain('new')
  })

  it('readonly leaves the mounts in it writable', async () => {
    expect(await t.run({ args: ['sh', '-c', 'touch /dev/shm/new && touch /dev/new'] })).toMatchObject({ exitCode: 0 })
  })

  it('nothing of the host is reachable above it', async () => {
    const result = await t.run({ args: ['ls', '/../../../../../..'] })
    expect(result.stdout.trim().split('\n').sort()).toEqual([
      'bin',
      'dev',
      'etc',
      'probe',
      'proc',
      'root',
      'sys',
      'tmp',
    ])
  })

  it('the old root is gone: no mount of the host is in mountinfo', async () => {
    const points = ((await t.probe()).mountinfo ?? '')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
    expect(points.filter((point) => !/^\/($|proc|dev|sys)/.test(point))).toEqual([])
    expect(points.filter((point) => point === '/')).toHaveLength(1)
  })
})

describe('a rootfs of one static program', () => {
  it('runs', async () => {
    const report = await t.probe({ rootfs: 'empty-static' })
    expect(report).toMatchObject({ pid: 1, argv: ['/probe'], cwd: '/' })
    expect(report.devices.null).toMatchObject({ type: 'c' })
  })

  it('gets the mount points of the spec and nothing else', async () => {
    const bundle = await t.bundle({ rootfs: 'empty-static' })
    expect(listTree(bundle.rootfs)).toEqual(['probe'])
    expect(await t.run(bundle)).toMatchObject({ exitCode: 0 })
    expect(listTree(bundle.rootfs)).toEqual(['dev/', 'probe', 'proc/', 'sys/'])
  })

  it('without any mount in the spec', async () => {
    const result = await t.run({
      rootfs: 'empty-static',
      spec: (spec) => {
        spec.mounts = [{ destination: '/proc', type: 'proc', source: 'proc' }]
        spec.linux.maskedPaths = []
        spec.linux.readonlyPaths = []
        spec.root.readonly = false
      },
    })
    expect(result).toMatchObject({ exitCode: 0 })
  })
})

describe('the rootfs on the host', () => {
  it('is listed the same before and after', async () => {
    const bundle = await t.bundle()
    const before = listTree(bundle.rootfs)
    const created = await t.create(bundle)
    expect(listTree(bundle.rootfs)).toEqual(before)
    await t.ok(['start', created.id])
    await t.waitForStatus(created.id, 'stopped')
    await t.ok(['delete', created.id])
    expect(listTree(bundle.rootfs)).toEqual(before)
  })

  it('gains the targets of the mounts of the spec alone', async () => {
    const source = t.hostDirectory('source-')
    writeFileSync(`${source}/file`, '')
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.mounts.push(
          { destination: '/data/a', type: 'bind', source, options: ['bind'] },
          { destination: '/data/b', type: 'bind', source: `${source}/file`, options: ['bind'] },
          { destination: '/data/c', type: 'tmpfs', source: 'tmpfs' },
        )
      },
    })
    const before = listTree(bundle.rootfs)
    expect(await t.run(bundle)).toMatchObject({ exitCode: 0 })
    expect(listTree(bundle.rootfs).filter((path) => !before.includes(path))).toEqual([
      'data/',
      'data/a/',
      'data/b',
      'data/c/',
    ])
    expect(modeAndOwner(`${bundle.rootfs}/data/a`)).toBe('755 0:0')
  })

  it('may lie below a directory that only root may enter, with another user inside', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process: { user: { uid: 1000, gid: 1000 } } })
    chmodSync(bundle.path, 0o700)
    expect((await t.probe(bundle)).uid).toEqual([1000, 1000, 1000])
  })

  it('may be reached through a symbolic link', async () => {
    const bundle = await t.bundle({ args: ['echo', 'linked'] })
    const link = `${t.hostDirectory()}/link`
    symlinkSync(bundle.path, link)
    expect((await t.runtime(['run', '--bundle', link, t.id()])).stdout).toBe('linked\n')
  })

  it('may have spaces and newlines in its path', async () => {
    const elsewhere = await t.bundle({ args: ['echo', 'fine'] })
    const path = `${t.directory}/bundle with\n"odd" name`
    renameSync(elsewhere.path, path)
    const result = await t.runtime(['run', '--bundle', path, t.id()])
    // Refusing is allowed, following half of the name is not.
    if (result.exitCode === 0) expect(result.stdout).toBe('fine\n')
    else expect(result.stderr).not.toBe('')
  })
})

describe('a hostile rootfs', () => {
  it("a regular file at /dev/null does not change the host's /dev/null", async () => {
    const bundle = await t.bundle({
      spec: (spec) => {
        spec.root.readonly = false
        spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'))
      },
    })
    mkdirSync(`${bundle.rootfs}/dev`, { recursive: true })
    writeFileSync(`${bundle.rootfs}/dev/null`, '')
    await t.run(bundle)
    expect(modeAndOwner('/dev/null')).toBe('666 0:0')
  })
})
