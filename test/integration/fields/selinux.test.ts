/** Under the policy of test/vm/selinux.cil: a host process is kernel_t, a file is file_t, and container_t cannot read secret_t. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Mount, Spec } from '../../support/spec.ts'

requires('root', 'selinux')
const t = useContainers()

const domain = 'system_u:system_r:container_t:s0:c1,c2'
const label = 'system_u:object_r:container_file_t:s0:c1,c2'
const unlabelled = 'system_u:object_r:file_t:s0'

const withLabel =
  (mountLabel: string, ...mounts: Mount[]) =>
  (spec: Spec): void => {
    spec.linux.mountLabel = mountLabel
    spec.root.readonly = false
    spec.mounts.push(...mounts)
  }

/** The context of a file in the container of this process. By stat(1): newer ls(1) looks first whether the filesystem has attributes. */
const contextOf = (pid: number, path: string): string =>
  execFileSync('stat', ['-c', '%C', `/proc/${pid}/root${path}`], { encoding: 'utf8' }).trim()

describe('process.selinuxLabel', () => {
  it("is the label of the container's program, and of what exec runs", async () => {
    expect(t.read('/proc/self/attr/current')).toMatch(/:kernel_t:/)
    const { id, pid } = await t.running({ process: { selinuxLabel: domain } })
    expect(t.read(`/proc/${pid}/attr/current`)).toMatch(new RegExp(`^${domain}\\0?$`))
    const { stdout } = await t.ok(['exec', id, 'cat', '/proc/self/attr/current'])
    expect(stdout).toContain(domain)
  })

  it('that the policy does not have fails create or start', async () => {
    const { exitCode, stderr } = await t.run({ process: { selinuxLabel: 'system_u:system_r:no_such_t:s0' } })
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/invalid argument/i)
    t.expectNothingLeft()
  })
})

describe('linux.mountLabel', () => {
  it('is the label of new filesystems, and of what is made on them', async () => {
    const path = t.hostDirectory()
    const { id, pid } = await t.running({
      spec: withLabel(
        label,
        { destination: '/mnt/tmpfs', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'mode=701', 'ro'] },
        { destination: '/mnt/bare', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/mnt/bind', type: 'bind', source: path, options: ['bind'] },
      ),
    })
    await t.ok(['exec', id, 'touch', '/mnt/bare/new'])
    const paths = [
      '/dev',
      '/dev/null',
      '/dev/pts',
      '/dev/mqueue',
      '/dev/shm',
      '/mnt/tmpfs',
      '/mnt/bare',
      '/mnt/bare/new',
    ]
    expect(Object.fromEntries(paths.map((path) => [path, contextOf(pid, path)]))).toEqual(
      Object.fromEntries(paths.map((path) => [path, path === '/dev/null' ? expect.stringMatching(/_t:s0/) : label])),
    )
    for (const path of ['/', '/proc', '/sys', '/mnt/bind']) expect(contextOf(pid, path)).toBe(unlabelled)
    const { stdout } = await t.ok(['exec', id, 'stat', '-c', '%a', '/mnt/tmpfs'])
    expect(stdout).toBe('701\n')
  })

  it('is the label of the masks of directories', async () => {
    const { pid } = await t.running({
      spec: (spec) => {
        withLabel(label)(spec)
        spec.linux.maskedPaths = ['/sys/firmware']
      },
    })
    expect(contextOf(pid, '/sys/firmware')).toBe(label)
  })

  it('is the label of what tmpcopyup copies', async () => {
    const bundle = await t.bundle({
      args: ['sleep', '1000'],
      spec: withLabel(label, {
        destination: '/data',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['tmpcopyup', 'mode=755'],
      }),
    })
    mkdirSync(`${bundle.rootfs}/data`)
    writeFileSync(`${bundle.rootfs}/data/file`, 'of the image')
    const { pid } = await t.running(bundle)
    expect(t.read(`/proc/${pid}/root/data/file`)).toBe('of the image')
    expect([contextOf(pid, '/data'), contextOf(pid, '/data/file')]).toEqual([label, label])
  })

  it('keeps the process from what its own label may not read', async () => {
    const mount = { destination: '/mnt', type: 'tmpfs', source: 'tmpfs' }
    const read = (mountLabel: string) =>
      t.run({
        args: ['sh', '-c', 'echo text >/mnt/file; cat /mnt/file'],
        process: { selinuxLabel: domain },
        spec: withLabel(mountLabel, mount),
      })
    expect(await read(label)).toMatchObject({ exitCode: 0, stdout: 'text\n' })
    const { exitCode, stderr } = await read('system_u:object_r:secret_t:s0')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/\/mnt\/file.*Permission denied/)
  })

  it('that the policy does not have fails create', async () => {
    const { exitCode, stderr } = await t.run({ spec: withLabel('system_u:object_r:no_such_t:s0') })
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/invalid argument/i)
    t.expectNothingLeft()
  })
})
