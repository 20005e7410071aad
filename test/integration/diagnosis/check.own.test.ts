/** `crio-lxc check`: this host as it is, and copies of it in which something is wrong. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { textOf } from '../../support/documents.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal } from '../../support/terminal-session.ts'

requires('root', 'own-runtime')
const t = useContainers()

interface Finding {
  readonly name: string
  readonly verdict: string
  readonly found: string
  readonly advice?: string
}

let whole = ''
let prefix = ''
beforeAll(() => {
  whole = mkdtempSync(join(tmpdir(), 'checked-installation-'))
  prefix = join(whole, 'prefix')
  execFileSync('cp', ['-a', dirname(dirname(runtimePath)), prefix])
})
afterAll(() => rmSync(whole, { recursive: true }))

/** What the copy says after a shell command in a mount namespace of its own; `$P` is where the copy is. */
function checked(before: string, flags: readonly string[] = []): { status: number | null; findings: Finding[] } {
  const script = `P=${prefix}; ${before}\nexec "$0" "$@"`
  const command = [join(prefix, 'bin/crio-lxc'), ...flags, 'check', '--json']
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-ec', script, ...command], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return { status, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings }
}

/** Makes /etc and /usr/local another's to write: what is put there is gone with the mount namespace. */
const OVERLAY = `mount -t tmpfs none /mnt
for d in etc usr/local; do
  mkdir -p /mnt/$d/u /mnt/$d/w
  mount -t overlay -o lowerdir=/$d,upperdir=/mnt/$d/u,workdir=/mnt/$d/w none /$d
done
`

describe('check', () => {
  it('finds no problem where containers run, in one screen, and ends with 0', async () => {
    const result = await t.runtime(['check'])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    const lines = result.stdout.trimEnd().split('\n')
    expect(lines.filter((line) => /^(ok|warning) /.test(line)).length).toBeGreaterThan(15)
    expect(lines.at(-1)).toMatch(/^no problems, (no|\d+) warnings?$/)
    expect(result.stdout).not.toContain('\x1b')
    const { annotations } = JSON.parse((await t.runtime(['features'])).stdout) as {
      annotations: Record<string, string>
    }
    const [version, extensions] = ['version', 'extensions'].map(
      (name) => annotations[`org.linuxcontainers.crio-lxc.liblxc.${name}`],
    )
    const found = `${version}, ${extensions?.split(',').length} API extensions (crio-lxc features names them)`
    expect(result.stdout).toMatch(new RegExp(`^ok +liblxc +${found.replace(/[.()]/g, '\\$&')}$`, 'm'))
  })

  it('looks at nothing that the chapter about it has no row for', async () => {
    const { stdout } = await t.runtime(['check', '--json'])
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    const [, chapter = ''] = textOf('docs/operating.md').split('`crio-lxc check`\n')
    const rows = [...chapter.matchAll(/^\| ([^|]+) \| /gm)].flatMap(([, names = '']) => names.split(', '))
    expect(findings.map(({ name }) => name).filter((name) => !rows.includes(name))).toEqual([])
  })

  it('is coloured on a terminal, and not with NO_COLOR', async () => {
    const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }
    const coloured = onTerminal([runtimePath, 'check'], { env })
    expect(await coloured.exitCode).toBe(0)
    expect(coloured.screen()).toContain('\x1b[32mok')
    const plain = onTerminal([runtimePath, 'check'], { env: { ...env, NO_COLOR: '1' } })
    expect(await plain.exitCode).toBe(0)
    expect(plain.screen()).not.toContain('\x1b')
  })

  const libexec = '$P/libexec/crio-lxc'
  const copied = (what: string) => `mount --bind ${what} ${what}; `
  it.each<[string, string, string, RegExp, RegExp]>([
    ['a program that is missing', `mount -t tmpfs none ${libexec}/..`, 'files', /crio-lxc-start/, /again/],
    [
      'a file that others may write to',
      `cp ${libexec}/crio-lxc-hook /tmp/hook.$$; chmod 777 /tmp/hook.$$; mount --bind /tmp/hook.$$ ${libexec}/crio-lxc-hook; rm /tmp/hook.$$`,
      'files',
      /^others than root may write to .*hook$/,
      /^chmod go-w /,
    ],
    ['a program of another build', `mount --bind /bin/true ${libexec}/crio-lxc-hook`, 'build', /hook is of/, /again/],
    [
      'libexec mounted noexec',
      `${copied(libexec)} mount -o remount,bind,noexec ${libexec}`,
      'libexec',
      /noexec/,
      /^mount it/,
    ],
    ['a read-only root of states', 'mount -t tmpfs -o ro none /run', 'state', /read-only/, /--root/],
  ])('says what to do about %s, and ends with 1', (_, before, name, found, advice) => {
    const { status, findings } = checked(before)
    expect(findings.filter(({ verdict }) => verdict === 'problem')).toContainEqual(
      expect.objectContaining({
        name,
        found: expect.stringMatching(found),
        advice: expect.stringMatching(advice),
      }),
    )
    expect(status).toBe(1)
  })

  const chroot = `D=$(mktemp -d -p /mnt); mkdir $D/usr $D/tmp $D/proc $D/sys $D/run
for d in bin lib lib64; do ln -s usr/$d $D; done
for d in usr tmp sys; do mount --rbind /$d $D/$d; done
mount -t proc proc $D/proc; exec chroot $D "$0" "$@"`
  it.each<[string, string, string, RegExp, RegExp]>([
    [
      'without a capability',
      'exec setpriv --bounding-set=-sys_admin,-chown --inh-caps=-sys_admin,-chown "$0" "$@"',
      'capabilities',
      /^no CAP_SYS_ADMIN$/,
      /^run crio-lxc with all of them: privileged/,
    ],
    ['in a chroot', `mount -t tmpfs none /mnt; ${chroot}`, 'root directory', /^no mount point/, /bind .* on itself/],
    ['without /proc', 'mount -t tmpfs none /proc', 'proc', /^\/proc is not mounted$/, /^mount -t proc/],
    ['without cgroups', 'mount -t tmpfs none /sys', 'cgroups', /^nothing is mounted/, /^mount cgroup v2/],
    [
      'with read-only cgroups',
      'mount -t tmpfs none /mnt; for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mountpoint -q $d && mount -o remount,bind,ro $d; done',
      'delegation',
      /mounted read-only$/,
      /mount -o remount,rw/,
    ],
  ])('where no container can be made: %s', (_, before, name, found, advice) => {
    const { status, findings } = checked(before)
    expect(findings.filter(({ verdict }) => verdict === 'problem')).toEqual([
      { name, verdict: 'problem', found: expect.stringMatching(found), advice: expect.stringMatching(advice) },
    ])
    expect(status).toBe(1)
  })

  it('in a container it names the calls that its filter refuses, whatever the errno, and what else is lacking', async () => {
    const bundle = await t.bundle({
      args: ['/checked/bin/crio-lxc', 'check', '--json'],
      spec: (spec) => {
        spec.mounts?.push({ destination: '/checked', source: prefix, type: 'bind', options: ['rbind', 'ro'] })
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [
            { names: ['setns', 'keyctl', 'fsopen'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
            { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
          ],
        }
      },
    })
    const { exitCode, stdout } = await t.run(bundle)
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    const found = (name: string): string | undefined => findings.find((finding) => finding.name === name)?.found
    // fsopen is root's alone, whose capabilities the container has not.
    expect(found('kernel')).toMatch(/ without clone3, setns$/)
    expect(found('capabilities')).toMatch(/^no CAP_SETGID, .*CAP_SYS_ADMIN/)
    expect(exitCode).toBe(1)
  })

  it('says whose a program is that another user owns', () => {
    const path = join(prefix, 'libexec/crio-lxc/crio-lxc-hook')
    chownSync(path, 1000, 0)
    const { findings } = checked(':')
    chownSync(path, 0, 0)
    expect(findings).toContainEqual(
      expect.objectContaining({ verdict: 'problem', found: `${path} belongs to user 1000` }),
    )
  })

  const packaged = join(import.meta.dirname, '../../../scripts/package/files/10-crio-lxc.crio.conf')
  const caller = (name: string, line: string) =>
    `${OVERLAY} printf '#!/bin/sh\\necho ${name} version 1.24.6\\n' >/usr/local/bin/${name}; chmod 755 /usr/local/bin/${name}; ${line}`
  it.each<[string, string, string, string, RegExp]>([
    [
      'CRI-O by a drop-in, as the default',
      'CRI-O',
      'ok',
      caller(
        'crio',
        `mkdir -p /etc/crio/crio.conf.d; printf '[crio.runtime]\\ndefault_runtime = "crio-lxc"\\n[crio.runtime.runtimes.crio-lxc]\\nruntime_path = "%s"\\n' $P/bin/crio-lxc >/etc/crio/crio.conf.d/10.conf`,
      ),
      /^1\.24\.6; \/etc\/crio\/crio\.conf\.d\/10\.conf names this program, the default$/,
    ],
    [
      "CRI-O by the package's file, which names a directory of states as well",
      'CRI-O',
      'ok',
      caller(
        'crio',
        `mkdir -p /etc/crio/crio.conf.d; sed "s:/usr/bin:$P/bin:" ${packaged} >/etc/crio/crio.conf.d/10-crio-lxc.conf`,
      ),
      /^1\.24\.6; \S+\/10-crio-lxc\.conf names this program$/,
    ],
    [
      'containerd by a path where nothing is',
      'containerd',
      'problem',
      caller(
        'containerd',
        `mkdir -p /etc/containerd; echo 'BinaryName = "/nowhere/crio-lxc"' >/etc/containerd/config.toml`,
      ),
      /names \/nowhere\/crio-lxc, which is no program$/,
    ],
    [
      'Docker by another installation',
      'Docker',
      'warning',
      caller(
        'dockerd',
        `mkdir -p /etc/docker; cp /bin/true /mnt/crio-lxc; echo '{"runtimes":{"l":{"path":"/mnt/crio-lxc"}}}' >/etc/docker/daemon.json`,
      ),
      /names another crio-lxc, \/mnt\/crio-lxc$/,
    ],
  ])('knows who is configured to call it: %s', (_, name, verdict, before, found) => {
    expect(checked(before).findings).toContainEqual(
      expect.objectContaining({ name, verdict, found: expect.stringMatching(found) }),
    )
  })

  it('waits for no configuration that is a fifo, and shows none as it is', async () => {
    const { findings } = checked(
      caller('dockerd', `mkdir -p /etc/docker /etc/containerd; mkfifo /etc/docker/daemon.json`),
    )
    expect(findings).toContainEqual(
      expect.objectContaining({ name: 'Docker', found: '1.24.6; does not name crio-lxc' }),
    )
    const script = caller(
      'containerd',
      `mkdir -p /etc/containerd; printf 'x = "/a\\033[31m/crio-lxc"\\n' >/etc/containerd/config.toml; exec ${runtimePath} check`,
    )
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-ec', script], { encoding: 'utf8' })
    expect(stdout).toContain('/a\\u001b[31m/crio-lxc')
    expect(stdout).not.toContain('\x1b')
  })

  it('says which parts of config.json are left out, and what is wrong with the defaults file', async () => {
    expect(checked(':', ['--seccomp=false']).findings).toContainEqual(
      expect.objectContaining({ name: 'settings', verdict: 'warning', found: expect.stringContaining('seccomp') }),
    )
    const path = join(t.hostDirectory(), 'defaults')
    writeFileSync(path, '')
    chmodSync(path, 0o666)
    const result = await t.runtime(['check'], { env: { CRIO_LXC_DEFAULTS: path } })
    expect(result.exitCode).toBe(1)
    expect(result.stdout).toMatch(/^problem +settings +.*others may write to it/m)
  })

  it('tells whoever is not root to be it', () => {
    const { status, stdout } = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', runtimePath, 'check'], {
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stdout).toMatch(/^problem +user +uid 65534\n +-> run crio-lxc as root$/m)
  })
})
