import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle, BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { mountOn } from '../../support/probe.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { ServiceManager } from '../../support/service-manager.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

/** A bundle whose image has /notify. */
async function bundle(script: string, options: BundleOptions = {}): Promise<Bundle> {
  const made = await t.bundle({ args: ['sh', '-c', script], ...options })
  copyFileSync(program('notify'), join(made.rootfs, 'notify'))
  return made
}

/** A service manager, and the runtime's environment below it. */
async function service(name = join(t.hostDirectory(), 'manager.sock')) {
  const manager = await ServiceManager.listen(name)
  t.defer(() => manager.stop())
  return { manager, env: { PATH: process.env.PATH ?? '', NOTIFY_SOCKET: name } }
}

describe('NOTIFY_SOCKET', () => {
  it.each([
    ['a path', undefined],
    ['an abstract name', `@crio-lxc-test-${process.pid}`],
  ])('of the runtime, %s, is told when the container is ready, and its pid', async (_, name) => {
    const { manager, env } = await service(name)
    const made = await bundle('/notify send READY=1; exec sleep 1000')
    const { id, pid } = await t.create(made, { env })
    await t.ok(['start', id], { env })
    await waitFor(() => manager.variables().length >= 2)
    expect(manager.variables().sort()).toEqual([`MAINPID=${pid}`, 'READY=1'])
  })

  it('makes start wait until the container is ready', async () => {
    const { manager, env } = await service()
    const go = t.hostDirectory()
    const made = await bundle('until test -e /go/go; do sleep 0.01; done; /notify send READY=1; exec sleep 1000', {
      spec: (spec) => {
        spec.mounts.push({ destination: '/go', source: go, options: ['bind'] })
      },
    })
    const { id } = await t.create(made, { env })
    let returned = false
    const starting = t.ok(['start', id], { env }).then(() => {
      returned = true
    })
    await t.waitForStatus(id, 'running')
    expect(manager.datagrams()).toEqual([])
    expect(returned).toBe(false)
    mkdirSync(join(go, 'go'))
    await starting
    await waitFor(() => manager.variables().includes('READY=1'))
  })

  it('that hears nothing before the container ends: start returns', async () => {
    const { manager, env } = await service()
    const { id } = await t.create(await bundle('/notify send STATUS=failing; exit 3'), { env })
    await t.ok(['start', id], { env })
    expect(manager.variables()).toEqual([])
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id])
    t.expectNothingLeft()
  })

  it('is served by run --detach', async () => {
    const { manager, env } = await service()
    const made = await bundle('/notify send READY=1; exec sleep 1000')
    const id = t.id()
    await t.ok(['run', '--detach', '--bundle', made.path, id], { env })
    await waitFor(() => manager.variables().length >= 2)
    expect(manager.variables().sort()).toEqual([`MAINPID=${(await t.state(id)).pid}`, 'READY=1'])
  })

  it('is another in the container, in a directory that nobody there can write to', async () => {
    const { env } = await service()
    const made = await t.bundle({ args: ['/probe'], spec: (spec) => spec.process.env.push('NOTIFY_SOCKET=/its/own') })
    const { id, result } = await t.create(made, { env })
    await t.ok(['start', id], { env })
    const text = await waitFor(() => (result.output().includes('\n') ? result.output() : undefined))
    const report = JSON.parse(text)
    expect(report.env.filter((each: string) => each.startsWith('NOTIFY_SOCKET='))).toEqual([
      'NOTIFY_SOCKET=/run/notify/notify.sock',
    ])
    expect(mountOn(report, '/run/notify')?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']))
  })

  it('reaches another user of the container', async () => {
    const { manager, env } = await service()
    const made = await bundle('/notify send READY=1; exec sleep 1000', { process: { user: { uid: 1000, gid: 1000 } } })
    const { id } = await t.create(made, { env })
    await t.ok(['start', id], { env })
    await waitFor(() => manager.variables().includes('READY=1'))
  })

  it('is mounted inside the image when that has a symbolic link in its place', async () => {
    const { manager, env } = await service()
    const host = t.hostDirectory()
    const made = await bundle('/notify send READY=1; exec sleep 1000')
    symlinkSync(host, join(made.rootfs, 'run'))
    const { id } = await t.create(made, { env })
    await t.ok(['start', id], { env })
    await waitFor(() => manager.variables().includes('READY=1'))
    expect(existsSync(join(host, 'notify'))).toBe(false)
  })

  it.each([{}, { NOTIFY_SOCKET: '' }])('is no concern of a container without one: %j', async (variables) => {
    const env = { PATH: process.env.PATH ?? '', ...variables }
    const made = await bundle('env; exec sleep 1000')
    const { id, result } = await t.create(made, { env })
    await t.ok(['start', id], { env })
    await waitFor(() => result.output().includes('PATH='))
    expect(result.output()).not.toMatch(/NOTIFY_SOCKET/)
    expect(readFileSync(`/proc/${(await t.state(id)).pid}/mountinfo`, 'utf8')).not.toMatch(/\/run\/notify/)
  })
})
