import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { isAlive, listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('create', () => {
  it('leaves a container with the status created and a living process', async () => {
    const { id, pid } = await t.create()
    expect(await t.state(id)).toMatchObject({ id, status: 'created', pid })
    expect(isAlive(pid)).toBe(true)
  })

  it('runs nothing of the container before start', async () => {
    const shared = t.hostDirectory()
    const { id } = await t.create({
      args: ['touch', '/shared/ran'],
      spec: (spec) => spec.mounts.push({ destination: '/shared', type: 'bind', source: shared, options: ['rbind'] }),
    })
    expect(listTree(shared)).toEqual([])
    await t.ok(['start', id])
    await t.waitForStatus(id, 'stopped')
    expect(listTree(shared)).toEqual(['ran'])
  })

  it('writes the pid of state into the pid file, digits only, mode 0644', async () => {
    const pidFile = join(t.hostDirectory(), 'pid')
    const { pid } = await t.create({}, { flags: ['--pid-file', pidFile] })
    expect(readFileSync(pidFile, 'utf8')).toBe(String(pid))
    expect(statSync(pidFile).mode & 0o777).toBe(0o644)
  })

  it('takes the current directory as the bundle by default', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    await t.ok(['create', id], { cwd: bundle.path })
    expect(await t.state(id)).toMatchObject({ status: 'created', bundle: bundle.path })
  })

  it('takes a relative bundle and -b', async () => {
    const bundle = await t.bundle()
    const id = t.id()
    await t.ok(['create', '-b', bundle.path.slice(t.directory.length + 1), id], { cwd: t.directory })
    expect(await t.state(id)).toMatchObject({ bundle: bundle.path })
  })

  it('prints nothing on success', async () => {
    const { result } = await t.create()
    expect([result.stdout, result.stderr]).toEqual(['', ''])
  })

  it('makes a missing root directory', async () => {
    const bundle = await t.bundle()
    const root = join(t.hostDirectory(), 'deep', 'root')
    const id = t.id()
    const run = (...args: string[]) => t.runtime(['--root', root, ...args])
    t.defer(async () => void (await run('delete', '--force', id)))
    expect(await run('create', '--bundle', bundle.path, id)).toMatchObject({ exitCode: 0 })
    expect(existsSync(join(root, id))).toBe(true)
  })

  it('keeps its state where only root may look', async () => {
    const { id } = await t.create()
    expect(statSync(join(t.root, id)).mode & 0o066).toBe(0)
  })

  it('ignores edits of config.json after create', async () => {
    const container = await t.create({ args: ['echo', 'before'] })
    container.bundle.writeConfig({
      ...container.bundle.spec,
      process: { ...container.bundle.spec.process, args: ['echo', 'after'] },
    })
    await t.ok(['start', container.id])
    await t.waitForStatus(container.id, 'stopped')
    expect(container.result.output()).toBe('before\n')
  })

  it('refuses an id that is taken and leaves the first container alone', async () => {
    const first = await t.create()
    const again = await t.runtime(['create', '--bundle', first.bundle.path, first.id])
    expect(again.exitCode).toBe(1)
    expect(again.stderr).toMatch(/container with (the )?given ID already exists/)
    expect(again.stderr.match(/exists/g)).toHaveLength(1)
    expect(await t.state(first.id)).toMatchObject({ status: 'created', pid: first.pid })
  })

  it('accepts ids with every allowed character', async () => {
    const id = `${t.id()}_A.b+c-9`
    t.defer(async () => void (await t.runtime(['delete', '--force', id])))
    await t.create({}, { id })
    expect(await t.state(id)).toMatchObject({ id })
  })

  it('lets two containers of one bundle live side by side', async () => {
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const [first, second] = [await t.running(bundle), await t.running(bundle)]
    expect(first.pid).not.toBe(second.pid)
    expect([(await t.state(first.id)).status, (await t.state(second.id)).status]).toEqual(['running', 'running'])
  })

  it('takes --no-pivot and --no-new-keyring', async () => {
    const { id } = await t.create({}, { flags: ['--no-pivot', '--no-new-keyring'] })
    expect(await t.state(id)).toMatchObject({ status: 'created' })
  })

  it('takes an absolute rootfs outside of the bundle', async () => {
    const elsewhere = await t.bundle()
    const container = await t.create({
      args: ['echo', 'elsewhere'],
      spec: (spec) => {
        spec.root.path = elsewhere.rootfs
      },
    })
    await t.ok(['start', container.id])
    await t.waitForStatus(container.id, 'stopped')
    expect(container.result.output()).toBe('elsewhere\n')
  })

  it('creates eight containers at once', async () => {
    const bundles = await Promise.all(Array.from({ length: 8 }, () => t.bundle({ args: ['sleep', '1000'] })))
    const created = await Promise.all(bundles.map((bundle) => t.create(bundle)))
    expect(new Set(created.map(({ pid }) => pid)).size).toBe(8)
  })

  it('works with an empty environment', async () => {
    const container = await t.create({ args: ['echo', 'bare'] }, { env: {} })
    await t.ok(['start', container.id], { env: {} })
    await t.waitForStatus(container.id, 'stopped')
    expect(container.result.output()).toBe('bare\n')
  })

  it('does not read .env or bunfig.toml of the bundle', async () => {
    const bundle = await t.bundle()
    const canary = join(t.hostDirectory(), 'canary')
    writeFileSync(join(bundle.path, 'preload.ts'), `require('fs').writeFileSync('${canary}', 'x')`)
    writeFileSync(join(bundle.path, 'bunfig.toml'), 'preload = ["./preload.ts"]\n')
    writeFileSync(join(bundle.path, '.env'), `CRIO_LXC_ROOT=${canary}\nNODE_OPTIONS=--require=./preload.ts\n`)
    await t.create(bundle, { cwd: bundle.path })
    expect(existsSync(canary)).toBe(false)
  })
})
