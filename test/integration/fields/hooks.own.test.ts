/** What the specification says of hooks and runc 1.1 does otherwise, and what no specification says. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { everywhere, hookPoints, useHooks, wholeLife } from '../../support/hook-recorder.ts'
import { isAlive } from '../../support/proc.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()
const withHooks = useHooks(t)

describe('the process of a hook', () => {
  it.each(hookPoints)('%s inherits no fd of the runtime or its caller', async (point) => {
    const { r, bundle } = await withHooks((r) => ({ [point]: [r.shell(`exec ls /proc/self/fd > ${r.directory}/fds`)] }))
    const through = [program('launch'), '--fds', '--']
    const id = t.id()
    await t.ok(['create', '--bundle', bundle.path, id], { through })
    await t.ok(['start', id], { through })
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id], { through })
    // 3 is the directory that is being read.
    expect(r.lines('fds')).toEqual(['0', '1', '2', '3'])
  })

  it('has its path for argv[0], and its environment empty, when the spec says no more', async () => {
    const { r, bundle } = await withHooks((r) => {
      const script = join(r.directory, 'bare')
      const look = `#!/bin/sh\ncat /proc/self/environ > ${r.directory}/environ; echo "$0 $#" > ${r.directory}/args\n`
      writeFileSync(script, look, { mode: 0o755 })
      return { createRuntime: [{ path: script, env: [] }] }
    })
    await wholeLife(t, bundle)
    // The shell itself adds PWD.
    expect(r.text('environ').split('\0').filter(Boolean)).toEqual([`PWD=${bundle.path}`])
    expect(r.text('args')).toBe(`${r.directory}/bare 0\n`)
  })

  it("starts in the bundle, or in the process's working directory", async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.cwd = '/etc'
      return everywhere((at) => [r.shell(`pwd > ${r.directory}/${at}`)])
    })
    await wholeLife(t, bundle)
    for (const point of hookPoints)
      expect(r.text(point), point).toBe(point === 'startContainer' ? '/etc\n' : `${bundle.path}\n`)
  })

  it("says nothing on the runtime's stdout and stderr", async () => {
    const { bundle } = await withHooks((r) => everywhere(() => [r.shell('echo out; echo err >&2')]))
    const id = t.id()
    for (const args of [
      ['create', '--bundle', bundle.path, id],
      ['start', id],
    ])
      expect(await t.ok(args)).toMatchObject({ stdout: '', stderr: '' })
    await t.waitForStatus(id, 'stopped')
    expect(await t.ok(['delete', id])).toMatchObject({ stdout: '', stderr: '' })
  })

  it('is in the cgroup of the container when it is in its namespaces', async () => {
    const { r, bundle } = await withHooks((r) =>
      everywhere((at) => [r.shell(`cat /proc/self/cgroup > ${r.directory}/${at}`)]),
    )
    const { id } = await wholeLife(t, bundle)
    for (const point of hookPoints) {
      const inside = point === 'createContainer' || point === 'startContainer'
      // From inside a cgroup namespace the container's is the root; startContainer has joined v1's late.
      if (point === 'createContainer') expect(r.text(point)).toMatch(new RegExp(`/${id}$|^0::/$`, 'm'))
      if (!inside) expect(r.text(point)).not.toContain(id)
    }
  })

  it('startContainer is filtered by linux.seccomp', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
      }
      return { startContainer: [r.shell(`mkdir ${r.directory}/made 2> ${r.directory}/error; true`)] }
    })
    await wholeLife(t, bundle)
    expect(r.text('error')).toMatch(/not supported/)
  })
})

describe('what a hook leaves', () => {
  it('a process that keeps its stderr open does not hold create', async () => {
    const { r, bundle } = await withHooks((r) => ({
      createRuntime: [r.shell(`setsid sleep 1000 & echo $! > ${r.directory}/pid`)],
    }))
    const { result } = await t.create(bundle)
    const pid = Number(r.text('pid'))
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
    expect(result.durationMs).toBeLessThan(5000)
  })

  it('nothing when create is killed while it runs', async () => {
    const { r, bundle } = await withHooks((r) => ({
      createRuntime: [r.shell(`echo $$ > ${r.directory}/pid; exec sleep 1000`)],
      poststop: [r.record('poststop')],
    }))
    const id = t.id()
    const aborted = new AbortController()
    const create = t.runtime(['create', '--bundle', bundle.path, id], { cancelSignal: aborted.signal })
    const pid = await waitFor(() => Number(r.text('pid')) || undefined)
    aborted.abort()
    await create.catch(() => {})
    await waitFor(() => !isAlive(pid), { what: 'the hook to end' })
    expect((await t.state(id)).status).toBe('stopped')
    await t.ok(['delete', '--force', id])
    expect(r.order()).toEqual(['poststop'])
    t.expectNothingLeft()
  })
})

it('two starts at once run the hooks once', async () => {
  const { r, bundle } = await withHooks((r, spec) => {
    spec.process.args = ['sleep', '1000']
    return { startContainer: [r.shell(`sleep 0.5; . ${r.directory}/record`, 'start')] }
  })
  const { id } = await t.create(bundle)
  const results = await Promise.all([t.runtime(['start', id]), t.runtime(['start', id])])
  expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1])
  expect(results.find(({ exitCode }) => exitCode === 1)?.stderr).toMatch(/another start is under way/)
  expect(r.order()).toEqual(['start'])
})

it('createContainer is refused in a mount namespace that is given by path', async () => {
  const other = await t.running()
  const { bundle } = await withHooks((r, spec) => {
    const mount = spec.linux.namespaces.find(({ type }) => type === 'mount')
    if (mount) mount.path = `/proc/${other.pid}/ns/mnt`
    return { createContainer: [r.record('createContainer')] }
  })
  const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^hooks\.createContainer: cannot run/) })
})

it('startContainer is refused with a filter that asks an agent', async () => {
  const { bundle } = await withHooks((r, spec) => {
    const syscalls = [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }]
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/no-agent', syscalls }
    return { startContainer: [r.record('startContainer')] }
  })
  const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
  expect(result).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^hooks\.startContainer: .*SCMP_ACT_NOTIFY/),
  })
  t.expectNothingLeft()
})

it('no hook, no crio-lxc-hook: a missing one does no harm', async () => {
  const { id } = await t.create()
  expect(existsSync(join(t.root, id, 'container.json'))).toBe(true)
  const flag = ['--container-hook', '/no/such/program']
  await t.ok([...flag, 'start', id])
  await t.waitForStatus(id, 'stopped')
  await t.ok([...flag, 'delete', id])
})

it.each(hookPoints)('a crio-lxc-hook that %s will need fails create before anything begins', async (point) => {
  const { r, bundle } = await withHooks((r) => ({ ...everywhere(() => []), [point]: [r.record(point)] }))
  const result = await t.runtime(['--container-hook', '/etc/passwd', 'create', '--bundle', bundle.path, t.id()])
  expect(result).toMatchObject({
    exitCode: 1,
    stderr: 'hooks need /etc/passwd: permission denied: install it again\n',
  })
  expect(r.order()).toEqual([])
  t.expectNothingLeft()
})

it('a crio-lxc-hook that goes away fails start, but never delete', async () => {
  const flag = ['--container-hook', '/no/such/program']
  const { bundle } = await withHooks((r) => ({ startContainer: [r.record('startContainer')] }))
  const { id: created } = await t.create(bundle)
  const result = await t.runtime([...flag, 'start', created])
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('/no/such/program') })

  const other = await withHooks((r) => ({ poststop: [r.record('poststop')] }))
  const { id } = await t.stopped(other.bundle)
  const file = join(other.r.directory, 'log')
  await t.ok([...flag, '--log', file, 'delete', id])
  expect(readFileSync(file, 'utf8')).toMatch(/level=warning msg="run hooks\.poststop: .*\/no\/such\/program/)
})
