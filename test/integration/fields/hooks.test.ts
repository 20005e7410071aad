/** runtime.md, "Lifecycle", and config.md, "POSIX-platform Hooks". */
import { readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { everywhere, hookPoints, useHooks, wholeLife } from '../../support/hook-recorder.ts'
import { requires } from '../../support/requires.ts'
import { isRunc } from '../../support/runtime.ts'
import type { Hook } from '../../support/spec.ts'

requires('root')
const t = useContainers()
const withHooks = useHooks(t)

describe('order', () => {
  it('is that of the lifecycle, and that of the lists', async () => {
    const { r, bundle } = await withHooks((r) => everywhere((at) => [r.record(`${at}-1`), r.record(`${at}-2`)]))
    await wholeLife(t, bundle)
    // runc 1.1 runs poststart at the end of create.
    const order = isRunc
      ? ['prestart', 'createRuntime', 'createContainer', 'poststart', 'startContainer', 'poststop']
      : hookPoints
    expect(r.order()).toEqual(order.flatMap((point) => [`${point}-1`, `${point}-2`]))
  })

  it('puts the hooks of create before its end, and the others not', async () => {
    const { r, bundle } = await withHooks((r) => ({ ...everywhere((at) => [r.record(at)]), poststart: [] }))
    const { id } = await t.create(bundle)
    expect(r.order()).toEqual(['prestart', 'createRuntime', 'createContainer'])
    await t.ok(['delete', id])
    expect(r.order()).toEqual(['prestart', 'createRuntime', 'createContainer', 'poststop'])
  })

  it('puts startContainer before the program', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sh', '-c', `echo program >> ${r.directory}/order`]
      return { startContainer: [r.record('startContainer')] }
    })
    await wholeLife(t, bundle)
    expect(r.order()).toEqual(['startContainer', 'program'])
  })

  it('puts poststop after the end of the container', async () => {
    const { r, bundle } = await withHooks((r) => ({ poststop: [r.shell(`ls ${t.root} > ${r.directory}/left`)] }))
    await wholeLife(t, bundle)
    expect(r.lines('left')).toEqual([])
  })
})

describe('the state on stdin', () => {
  it('says what the container is at each point', async () => {
    const annotations = { 'org.example.key': 'a "value"\nof two lines' }
    const { r, bundle } = await withHooks((r, spec) => {
      spec.annotations = annotations
      return everywhere((at) => [r.record(at)])
    })
    const { id, pid } = await wholeLife(t, bundle)
    const common = { id, bundle: bundle.path, annotations }
    expect(r.state('prestart')).toMatchObject({ ...common, status: 'creating', pid })
    expect(r.state('createRuntime')).toMatchObject({ ...common, status: 'creating', pid })
    expect(r.state('createContainer')).toMatchObject({ ...common, status: 'creating', pid: 1 })
    expect(r.state('startContainer')).toMatchObject({ ...common, status: 'created', pid: 1 })
    expect(r.state('poststart')).toMatchObject({ ...common, status: isRunc ? 'created' : 'running', pid })
    expect(r.state('poststop')).toMatchObject({ ...common, status: 'stopped' })
    expect(r.state('poststop').pid ?? 0).toBe(0)
    for (const point of hookPoints) expect(r.state(point).ociVersion).toMatch(/^1\.\d+\.\d+/)
  })

  it('may be larger than a pipe, and need not be read', async () => {
    const annotations = { large: 'x'.repeat(200_000) }
    const { r, bundle } = await withHooks((r, spec) => {
      spec.annotations = annotations
      return everywhere((at) => [r.shell('exec true'), r.record(at)])
    })
    await wholeLife(t, bundle)
    for (const point of hookPoints) expect(r.state(point).annotations).toEqual(annotations)
  })
})

describe('namespaces', () => {
  it("are the runtime's or the container's", async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sleep', '1000']
      return everywhere((at) => [r.record(at)])
    })
    const { id, pid } = await t.running(bundle)
    const of = (process: number | 'self', kind: string) => readlinkSync(`/proc/${process}/ns/${kind}`)
    for (const kind of ['mnt', 'pid', 'net', 'uts', 'ipc']) {
      for (const point of ['prestart', 'createRuntime', 'poststart'])
        expect(r.namespaces(point)[kind], point).toBe(of('self', kind))
      for (const point of ['createContainer', 'startContainer'])
        expect(r.namespaces(point)[kind], point).toBe(of(pid, kind))
    }
    await t.ok(['delete', '--force', id])
    expect(r.namespaces('poststop').mnt).toBe(of('self', 'mnt'))
  })

  it('createContainer finds its program on the host, and mounts into the rootfs for the container alone', async () => {
    const { bundle } = await withHooks((r, spec, rootfs) => {
      spec.process.args = ['cat', '/tmp/file']
      const mount = `mount -t tmpfs hooked ${rootfs}/tmp && echo kept > ${rootfs}/tmp/file`
      return { createContainer: [r.shell(`test -x /usr/bin/env && ${mount}`)] }
    })
    const result = await t.run(bundle)
    expect(result.stdout + result.stderr).toBe('kept\n')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('hooked')
  })

  it('createRuntime reaches the rootfs with its mounts through the mount namespace of init', async () => {
    const { r, bundle } = await withHooks((r, spec, rootfs) => {
      spec.process.args = ['cat', '/tmp/file']
      const pid = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')`
      const inside = `mount -t tmpfs hooked ${rootfs}/tmp && echo kept > ${rootfs}/tmp/file && mountpoint ${rootfs}/dev`
      return {
        createRuntime: [r.shell(`${pid}; cd /; nsenter --target $pid --mount sh -c '${inside}' > ${r.directory}/seen`)],
      }
    })
    const result = await t.run(bundle)
    expect(result.stdout + result.stderr).toBe('kept\n')
    expect(r.text('seen')).toContain('is a mountpoint')
  })

  it('hooks of create may change a rootfs that the container may only read', async () => {
    const { bundle } = await withHooks((r, spec, rootfs) => {
      spec.process.args = ['sh', '-c', 'cat /etc/made; touch /etc/more']
      return { createContainer: [r.shell(`echo made > ${rootfs}/etc/made`)] }
    })
    const result = await t.run(bundle)
    expect(result.stdout).toBe('made\n')
    expect(result.stderr).toMatch(/Read-only file system/)
  })

  it('leave nothing of the host in the container', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['/probe']
      return everywhere((at) => [r.record(at)])
    })
    const report = await t.probe(bundle)
    const points = (report.mountinfo ?? '')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
    expect(points.filter((point) => !/^\/($|proc|dev|sys)/.test(point))).toEqual([r.directory])
    expect(points.filter((point) => point === '/')).toHaveLength(1)
    expect(Object.keys(report.fds).filter((fd) => Number(fd) > 2)).toEqual([])
  })
})

describe('the environment of a hook without env', () => {
  const copy = (file: string): Hook => ({ path: '/bin/cp', args: ['cp', '/proc/self/environ', file] })

  it("is the runtime's, and for startContainer the container's", async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.env = ['PATH=/bin', 'OF=container', 'OF=container again']
      return everywhere((at) => [copy(`${r.directory}/${at}`)])
    })
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', OF: 'runtime', 'odd.name': 'a\nb' }
    const id = t.id()
    await t.ok(['create', '--bundle', bundle.path, id], { env })
    await t.ok(['start', id], { env })
    await t.waitForStatus(id, 'stopped')
    await t.ok(['delete', id], { env })
    const environment = (point: string): string[] => r.text(point).split('\0').filter(Boolean)
    expect(environment('startContainer').filter((variable) => !variable.startsWith('PWD='))).toEqual([
      'PATH=/bin',
      'OF=container again',
      'HOME=/root',
    ])
    // runc 1.1 gives createContainer the container's, runc 1.3 nothing.
    const others = hookPoints.filter((point) => point !== 'startContainer' && !(isRunc && point === 'createContainer'))
    for (const point of others) {
      expect(environment(point), point).toEqual(expect.arrayContaining(['OF=runtime', 'odd.name=a\nb']))
      expect(environment(point), point).not.toContain('OF=container again')
    }
  })

  it.each(hookPoints)('%s: one that is empty is empty', async (point) => {
    const { r, bundle } = await withHooks((r) => ({ [point]: [{ ...copy(`${r.directory}/seen`), env: [] }] }))
    await wholeLife(t, bundle)
    // Go sets the directory.
    expect(r.text('seen').replace(/^PWD=[^\0]*\0$/, '')).toBe('')
  })
})

describe('the process of a hook', () => {
  it.each(hookPoints)('%s has exactly the arguments and the environment of the spec', async (point) => {
    const env = ['A=1', 'B=two words', 'A=again', 'EMPTY=']
    const { r, bundle } = await withHooks((r) => {
      const copy = (file: string) => ({
        path: '/bin/cp',
        args: ['/an/other/cp', `/proc/self/${file}`, `${r.directory}/${file}`],
        env,
      })
      return { [point]: [copy('environ'), copy('cmdline')] }
    })
    await wholeLife(t, bundle)
    // Go, in runc, keeps the last of two equal names.
    const exact = isRunc ? ['B=two words', 'A=again', 'EMPTY='] : env
    expect(r.text('environ')).toBe(`${exact.join('\0')}\0`)
    expect(r.text('cmdline')).toBe(`/an/other/cp\0/proc/self/cmdline\0${r.directory}/cmdline\0`)
  })

  it("startContainer has the container's user, capabilities and working directory", async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      Object.assign(spec.process, { user: { uid: 1000, gid: 1000 }, cwd: '/tmp', noNewPrivileges: true })
      const none = { effective: [], permitted: [], inheritable: [], ambient: [] }
      spec.process.capabilities = { ...none, bounding: ['CAP_KILL'] }
      const look = `grep -E '^(Uid|Gid|Cap|NoNewPrivs)' /proc/self/status && pwd`
      return { startContainer: [r.shell(`{ ${look}; } > ${r.directory}/seen`)] }
    })
    await wholeLife(t, bundle)
    expect(r.lines('seen')).toEqual([
      'Uid:\t1000\t1000\t1000\t1000',
      'Gid:\t1000\t1000\t1000\t1000',
      'CapInh:\t0000000000000000',
      'CapPrm:\t0000000000000000',
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000020',
      'CapAmb:\t0000000000000000',
      'NoNewPrivs:\t1',
      '/tmp',
    ])
  })

  it("the others have the runtime's user and capabilities", async () => {
    const points = ['createRuntime', 'createContainer', 'poststop'] as const
    const { r, bundle } = await withHooks((r) =>
      Object.fromEntries(
        points.map((at) => [at, [r.shell(`grep -E '^(Uid|CapEff)' /proc/self/status > ${r.directory}/${at}`)]]),
      ),
    )
    await wholeLife(t, bundle)
    const own = readFileSync('/proc/self/status', 'utf8').match(/^(Uid|CapEff).*$/gm)
    for (const point of points) expect(r.lines(point), point).toEqual(own)
  })
})
