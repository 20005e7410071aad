import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { listTree } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

const annotation = 'io.kubernetes.container.terminationMessagePath'

/** As the kubelet and CRI-O prepare it: a file of the host bound to where the annotation points. */
function withMessage(
  at = '/dev/termination-log',
  options = ['bind', 'rw'],
): { file: string; spec: (spec: Spec) => void } {
  const file = `${t.hostDirectory()}/message`
  writeFileSync(file, '')
  const spec = (spec: Spec): void => {
    spec.annotations = { [annotation]: at, 'example.org/other': 'kept' }
    spec.mounts.push({ destination: at, type: 'bind', source: file, options })
  }
  return { file, spec }
}

describe(annotation, () => {
  it('has the error of a create that fails in init', async () => {
    const { file, spec } = withMessage()
    const result = await t.run({ args: ['no-such-program'], spec })
    expect(result.exitCode).toBe(1)
    expect(t.read(file)).toBe(`${messageOf(result)}\n`)
    expect(t.read(file)).toContain('no-such-program')
    t.expectNothingLeft()
  })

  it('has what a program that the kernel refuses says, and the state has the annotations; config.json stays as it was', async () => {
    const { file, spec } = withMessage()
    const bundle = await t.bundle({ args: ['/bin/short-lived'], spec })
    execFileSync('cp', ['/bin/busybox', `${bundle.rootfs}/bin/short-lived`])
    const config = readFileSync(`${bundle.path}/config.json`)
    const { id, result } = await t.create(bundle)
    expect((await t.state(id)).annotations).toEqual({
      [annotation]: '/dev/termination-log',
      'example.org/other': 'kept',
    })
    expect(t.read(file)).toBe('')
    rmSync(`${bundle.rootfs}/bin/short-lived`)
    await t.ok(['start', id])
    expect(t.read(file)).toBe(result.errors())
    expect(t.read(file)).toContain('short-lived')
    expect(readFileSync(`${bundle.path}/config.json`)).toEqual(config)
  })

  it('is not written when another file has taken its place since create', async () => {
    const volume = t.hostDirectory()
    const { file, spec } = withMessage('/volume/why')
    const bundle = await t.bundle({
      args: ['/bin/short-lived'],
      spec: (given) => {
        given.mounts.push({ destination: '/volume', type: 'bind', source: volume, options: ['bind', 'rw'] })
        spec(given)
      },
    })
    execFileSync('cp', ['/bin/busybox', `${bundle.rootfs}/bin/short-lived`])
    const { id, pid, result } = await t.create(bundle)
    execFileSync('nsenter', ['-t', String(pid), '-m', '/bin/umount', '/volume/why'])
    rmSync(`${bundle.rootfs}/bin/short-lived`)
    await t.runtime(['start', id])
    expect(result.errors()).toContain('short-lived')
    expect(t.read(`${volume}/why`)).toBe('')
    expect(t.read(file)).toBe('')
  })

  it("is the container's own to write when its program runs", async () => {
    const { file, spec } = withMessage('/var/log/../log//why')
    await t.run({
      args: ['sh', '-c', 'echo from inside > /var/log/why'],
      spec: (given) => {
        spec(given)
        given.root.readonly = false
      },
    })
    expect(t.read(file)).toBe('from inside\n')
  })

  it('is not written through a read-only mount, and that is no error of its own', async () => {
    const { file, spec } = withMessage('/dev/termination-log', ['bind', 'ro'])
    const result = await t.run({ args: ['no-such-program'], spec })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain('executable file not found in $PATH')
    expect(t.read(file)).toBe('')
  })

  it('writes nothing where no bind mount is, and nothing but a regular file', async () => {
    const bundle = await t.bundle({
      args: ['no-such-program'],
      spec: (spec) => {
        spec.annotations = { [annotation]: '/etc/passwd' }
      },
    })
    const before = listTree(bundle.rootfs)
    const passwd = t.read(`${bundle.rootfs}/etc/passwd`)
    expect((await t.run(bundle)).exitCode).toBe(1)
    expect(t.read(`${bundle.rootfs}/etc/passwd`)).toBe(passwd)
    expect(listTree(bundle.rootfs)).toEqual(before)

    const fifo = `${t.hostDirectory()}/fifo`
    execFileSync('mkfifo', [fifo])
    const result = await t.run({
      args: ['no-such-program'],
      spec: (spec) => {
        spec.annotations = { [annotation]: '/dev/termination-log' }
        spec.mounts.push({ destination: '/dev/termination-log', type: 'bind', source: fifo, options: ['bind'] })
      },
    })
    expect(result).toMatchObject({ exitCode: 1, timedOut: false })
  })
})
