/** The flags of `podman run` that change what the process is and may do, each seen from inside the container. */
import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts, cgroupsOf, namespaceOf } from '../../support/proc.ts'
import { inAnyLibrary, type Profile, verdictOn, verdicts, verdictsOfRunc } from '../../support/verdicts.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const t = useContainers()

/** A field of the container's /proc/self/status. */
async function statusField(field: string, ...flags: string[]): Promise<string> {
  const status = await podman.output(flags, ['cat', '/proc/self/status'])
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? `no ${field}`
}

describe('user', () => {
  it('--user NUMBER', async () => {
    expect(await podman.output(['--user', '1234:5678'], ['sh', '-c', 'id -u; id -G'])).toBe('1234\n5678')
  })

  it('--user NAME of the image', async () => {
    expect(await podman.output(['--user', 'user'], ['sh', '-c', 'id -u; id -g; echo $HOME'])).toBe('1000\n1000\n/tmp')
  })

  it('--group-add', async () => {
    expect(await statusField('Groups', '--user', '1000:1000', '--group-add', '4321')).toMatch(/\b4321\b/)
  })

  it('a user has no capability', async () => {
    expect(await statusField('CapEff', '--user', '1000')).toBe('0000000000000000')
  })
})

describe('capabilities', () => {
  const effective = (...flags: string[]): Promise<string> => statusField('CapEff', ...flags)

  it('--cap-drop all', async () => {
    expect(await effective('--cap-drop', 'all')).toBe('0000000000000000')
    expect(await statusField('CapBnd', '--cap-drop', 'all')).toBe('0000000000000000')
  })

  it('--cap-add on top of none', async () => {
    const netAdmin = (1n << 12n).toString(16).padStart(16, '0')
    expect(await effective('--cap-drop', 'all', '--cap-add', 'NET_ADMIN')).toBe(netAdmin)
  })

  it('--cap-drop of one: chown fails', async () => {
    expect(await podman.run([], ['chown', '1000', '/data'])).toMatchObject({ exitCode: 0 })
    const dropped = await podman.run(['--cap-drop', 'CHOWN'], ['chown', '1000', '/data'])
    expect(dropped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Operation not permitted') })
  })

  it('--privileged: all that the host has', async () => {
    const bounding = /^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    expect(await effective('--privileged')).toBe(bounding)
  })

  it('--security-opt no-new-privileges', async () => {
    expect(await statusField('NoNewPrivs')).toBe('0')
    expect(await statusField('NoNewPrivs', '--security-opt', 'no-new-privileges')).toBe('1')
  })
})

describe('seccomp', () => {
  it("podman's default profile is a filter", async () => {
    expect(await statusField('Seccomp')).toBe('2')
  })

  it.each([[[]], [['--cap-add', 'SYS_ADMIN']]])(
    "podman's default profile with %j says to every system call what it says under runc",
    async (flags: string[]) => {
      const name = await podman.detached(flags, ['sleep', '1000'])
      const config = await podman.ok(['inspect', '--format', '{{.OCIConfigPath}}', name])
      const { linux } = JSON.parse(readFileSync(config, 'utf8')) as { linux: { seccomp: Profile } }
      const text = await verdicts(t, linux.seccomp)
      // quotactl.
      if (process.arch === 'x64') expect(verdictOn(text, 'x86_64', 179)).toBe(flags.length === 0 ? '1' : 'pass')
      expect(inAnyLibrary(text)).toEqual(inAnyLibrary(await verdictsOfRunc(t, linux.seccomp)))
    },
  )

  it("a profile's rule decides the error of a system call", async () => {
    const profile = join(podman.hostDirectory(), 'profile.json')
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: constants.errno.ENOSPC }
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }))
    const refused = await podman.run(['--security-opt', `seccomp=${profile}`], ['mkdir', '/new'])
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No space left on device') })
    expect((await podman.run([], ['mkdir', '/new'])).exitCode).toBe(0)
  })

  it('--security-opt seccomp=unconfined is none', async () => {
    expect(await statusField('Seccomp', '--security-opt', 'seccomp=unconfined')).toBe('0')
  })
})

describe('file systems', () => {
  it('--read-only: the root is, /tmp is not', async () => {
    const { exitCode, stderr, stdout } = await podman.run(
      ['--read-only'],
      ['sh', '-c', 'echo a > /tmp/a && cat /tmp/a; touch /a'],
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'a' })
    expect(stderr).toContain('Read-only file system')
  })

  it('-v is writable on both sides', async () => {
    const host = podman.hostDirectory()
    writeFileSync(join(host, 'in'), 'from the host')
    const output = await podman.output(
      ['--volume', `${host}:/shared`],
      ['sh', '-c', 'cat /shared/in; echo back > /shared/out'],
    )
    expect(output).toBe('from the host')
    expect(readFileSync(join(host, 'out'), 'utf8')).toBe('back\n')
  })

  it('-v DIR:DIR:ro refuses a write', async () => {
    const host = podman.hostDirectory()
    const result = await podman.run(['--volume', `${host}:/shared:ro`], ['touch', '/shared/a'])
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Read-only file system') })
  })

  it('-v of a file', async () => {
    const file = join(podman.hostDirectory(), 'file')
    writeFileSync(file, 'one file')
    expect(await podman.output(['--volume', `${file}:/etc/new/one`], ['cat', '/etc/new/one'])).toBe('one file')
  })

  it('-v of a named volume is filled from the image', async () => {
    const volume = podman.name()
    expect(await podman.output(['--volume', `${volume}:/data`], ['cat', '/data/from-the-image'])).toBe('kept')
    await podman.ok(['volume', 'rm', volume])
  })

  it('--tmpfs has the size, and a copy of what the image has there', async () => {
    const output = await podman.output(
      ['--tmpfs', '/data:size=2m'],
      ['sh', '-c', 'cat /data/from-the-image; grep " /data " /proc/mounts'],
    )
    expect(output).toMatch(/^kept\ntmpfs \/data tmpfs rw,nosuid,nodev,.*size=2048k/)
  })

  it('--shm-size', async () => {
    expect(await podman.output(['--shm-size', '3m'], ['grep', ' /dev/shm ', '/proc/mounts'])).toContain('size=3072k')
  })

  it('masked paths are empty and /proc/sys is read-only', async () => {
    const output = await podman.output(
      [],
      [
        'sh',
        '-c',
        'cat /proc/kcore | wc -c; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/panic || echo refused',
      ],
    )
    expect(output).toBe('0\n0\nrefused')
  })

  it('--device', async () => {
    const command = ['sh', '-c', 'dd if=/dev/my-zero bs=4 count=1 2>/dev/null | od -An -tx1']
    expect(await podman.output(['--device', '/dev/zero:/dev/my-zero'], command)).toBe(' 00 00 00 00')
  })
})

describe('namespaces and limits', () => {
  const kinds = ['pid', 'net', 'ipc', 'uts', 'mnt']

  it('are all new by default', async () => {
    const output = await podman.output(
      [],
      ['sh', '-c', `for k in ${kinds.join(' ')}; do readlink /proc/self/ns/$k; done`],
    )
    const host = kinds.map((kind) => namespaceOf('self', kind))
    expect(output.split('\n').filter((namespace) => host.includes(namespace))).toEqual([])
  })

  it("are the host's when asked for", async () => {
    const flags = ['--pid', 'host', '--network', 'host', '--ipc', 'host', '--uts', 'host']
    const shared = kinds.slice(0, 4)
    const output = await podman.output(flags, [
      'sh',
      '-c',
      `for k in ${shared.join(' ')}; do readlink /proc/self/ns/$k; done`,
    ])
    expect(output.split('\n')).toEqual(shared.map((kind) => namespaceOf('self', kind)))
  })

  it('--sysctl', async () => {
    const sysctl = ['--sysctl', 'net.ipv4.ip_default_ttl=77']
    expect(await podman.output(sysctl, ['cat', '/proc/sys/net/ipv4/ip_default_ttl'])).toBe('77')
  })

  it('--ulimit', async () => {
    expect(
      await podman.output(
        ['--ulimit', 'nofile=300:400', '--ulimit', 'nproc=500:600'],
        ['sh', '-c', 'ulimit -Sn; ulimit -Hn'],
      ),
    ).toBe('300\n400')
  })

  it('--pids-limit stops a fork', async () => {
    const fork = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo all']
    const limited = await podman.run(['--pids-limit', '4'], fork)
    expect(limited.stderr).toContain("can't fork")
    expect(await podman.output(['--pids-limit', '20'], fork)).toBe('all')
  })

  it('the cgroup is below --cgroup-parent in every hierarchy', async () => {
    const name = await podman.detached([], ['sleep', '1000'])
    const { Pid } = await podman.state(name)
    const expected = `${podman.cgroupParent}/libpod-${await podman.id(name)}`
    const hierarchies = Object.keys(cgroupMounts())
    const placed = Object.entries(cgroupsOf(Pid)).filter(([hierarchy]) => hierarchies.includes(hierarchy))
    expect(placed).toEqual(placed.map(([hierarchy]) => [hierarchy, expected]))
    expect(placed.length).toBe(hierarchies.length)
    await podman.ok(['rm', '--force', '--time', '0', name])
  })
})

describe('--init', () => {
  it("bind-mounts podman's init, which becomes process 1", async () => {
    const init = join(podman.hostDirectory(), 'init')
    writeFileSync(init, '#!/bin/sh\nshift\necho "init is $$"\n"$@"\n', { mode: 0o755 })
    const output = await podman.output(['--init', '--init-path', init], ['sh', '-c', 'cat /proc/1/comm'])
    expect(output).toBe('init is 1\npodman-init')
  })
})
