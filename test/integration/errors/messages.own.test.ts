/** What an operator reads after a mistake: one sentence, with what was attempted on what, the cause, and what to do. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('a mistake on the command line', () => {
  it.each<[string[], string]>([
    [
      ['create', '--bundle', '/etc/passwd', 'web'],
      'read /etc/passwd/config.json: not a directory: make one with `crio-lxc spec`, or give the right --bundle',
    ],
    [['--log', '/no/such/log', 'list'], 'open --log /no/such/log: no such file or directory: make its directory first'],
    [
      ['--log-file', '/no/such/log', 'list'],
      'open --log-file /no/such/log: no such file or directory: make its directory first',
    ],
    [
      ['spec', '--bundle', '/no/such'],
      'write /no/such/config.json: no such file or directory: make the directory first',
    ],
  ])('%j', async (args, message) => {
    const result = await t.runtime(args)
    expect([result.exitCode, result.stdout, messageOf(result)]).toEqual([1, '', message])
  })

  it('names the option whose file is missing', async () => {
    const { id } = await t.running()
    const missing = 'no such file or directory'
    const update = await t.runtime(['update', '--resources', '/no/such', id])
    expect([update.exitCode, messageOf(update)]).toEqual([1, `read --resources /no/such: ${missing}`])
    const exec = await t.runtime(['exec', '--process', '/no/such', id])
    expect([exec.exitCode, messageOf(exec)]).toEqual([255, `read --process /no/such: ${missing}`])
  })

  it('in the defaults file names the value before the file', async () => {
    const file = join(t.hostDirectory(), 'defaults')
    writeFileSync(file, 'CRIO_LXC_LOG_LEVEL=loud\n', { mode: 0o644 })
    const result = await t.runtime(['create', 'web'], { env: { CRIO_LXC_DEFAULTS: file } })
    expect(messageOf(result)).toMatch(`invalid CRIO_LXC_LOG_LEVEL "loud" in ${file}: want one of trace, `)
  })

  it('about the pid file does not name the file beside it', async () => {
    const { path } = await t.bundle()
    const result = await t.runtime(['create', '--pid-file', '/no/such/pid', '--bundle', path, t.id()])
    expect(messageOf(result)).toBe(
      'write the pid file /no/such/pid: no such file or directory: make its directory first',
    )
  })
})

describe('a mistake in config.json', () => {
  const mount =
    (type: string, source: string, options: string[], destination = '/mnt/new') =>
    (spec: Spec) =>
      void spec.mounts.push({ destination, type, source, options })

  it.each<[string, (spec: Spec) => void, RegExp]>([
    [
      'a source that the host lacks',
      mount('bind', '/no/such', ['bind']),
      /^mounts\[\d+\]\.source: open \/no\/such: no such file or directory: a bind mount needs a path that the host has$/,
    ],
    [
      'an unknown filesystem',
      mount('ext9', 'x', []),
      /: no such device: this kernel has no such filesystem: load its module, or give another type$/,
    ],
    [
      'options of a filesystem',
      mount('tmpfs', 'x', ['size=abc']),
      /: invalid argument: the filesystem does not take this source or these options: the log of the kernel may say which$/,
    ],
    [
      'a directory upon a file',
      mount('bind', '/srv', ['bind'], '/bin/busybox'),
      /^open \/bin\/busybox in the rootfs for mounts\[\d+\]: not a directory: \/bin\/busybox must be a directory, and so must all that leads there$/,
    ],
    [
      'a namespace that is gone',
      (spec) => spec.linux.namespaces.push({ type: 'time', path: '/no/such' }),
      /^linux\.namespaces\[\d+\]\.path: open \/no\/such: no such file or directory: make the namespace before the container$/,
    ],
    [
      'the value of a sysctl',
      (spec) => Object.assign(spec.linux, { sysctl: { 'net.ipv4.ip_forward': 'maybe' } }),
      /: invalid argument: the parameter does not take this value$/,
    ],
  ])('%s', async (_, spec, message) => {
    const { path } = await t.bundle({ spec })
    const result = await t.runtime(['create', '--bundle', path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(message)
  })
})

describe('a host', () => {
  /** create in a mount namespace, after these lines of sh; `$root` is the runtime's root. */
  async function createAfter(lines: string): Promise<string> {
    const { path } = await t.bundle()
    const script = `root=${t.root}; ${lines}; exec "$@"`
    const through = ['unshare', '--mount', 'sh', '-ec', script, 'sh']
    const result = await t.runtime(['create', '--bundle', path, t.id()], { through })
    expect(result.exitCode).toBe(1)
    return messageOf(result).replaceAll(t.root, 'ROOT')
  }

  it.each([
    [
      'a read-only root',
      'mount -t tmpfs -o ro tmpfs $root',
      /^create the runtime directory ROOT\/t-\S+: read-only file system: mount it writable$/,
    ],
    [
      'a root without room',
      'mount -t tmpfs -o size=4k tmpfs $root',
      /ROOT\/\S+: no space left on device: free space, or inodes, on its filesystem$/,
    ],
    [
      'a root without inodes',
      'mount -t tmpfs -o nr_inodes=2 tmpfs $root',
      /ROOT\/\S+: no space left on device: free space, or inodes, on its filesystem$/,
    ],
    ['few descriptors', 'ulimit -n 6', /: too many open files: raise the limit of open files \(ulimit -n\)$/],
    [
      'a root directory that is no mount point',
      `mount -t tmpfs none /mnt; mkdir /mnt/root
       for d in /*; do
         if [ -L $d ]; then cp -P $d /mnt/root
         elif [ -d $d ] && [ $d != /mnt ]; then mkdir /mnt/root$d; mount --rbind $d /mnt/root$d; fi
       done
       set -- chroot /mnt/root "$@"`,
      /: the root directory here is no mount point, as in a chroot: bind it on itself, or pivot_root into it$/,
    ],
    ['no procfs', 'umount -l /proc', /^open \/proc\/\S+: no such file or directory: mount \/proc$/],
  ])('with %s', async (_, lines, message) => {
    expect(await createAfter(lines)).toMatch(message)
  })
})
