/** More flags of `podman run`, several in each container, seen from inside. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isV1 } from '../../support/cgroup-files.ts'
import { namespaceOf } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const shell = (script: string): string[] => ['sh', '-c', script]
const remove = (name: string): Promise<string> => podman.ok(['rm', '--force', '--time', '0', name])

describe('--security-opt', () => {
  it('mask, unmask and proc-opts', async () => {
    const keys = existsSync('/proc/keys') ? 1 : 0
    const count =
      'ls /data | wc -l; grep -c " /proc/keys " /proc/mounts; grep "^proc /proc " /proc/mounts | grep -o "hidepid=[^, ]*"'
    expect(await podman.output([], shell(`${count}; true`))).toBe(`1\n${keys}`)
    const masked = ['--security-opt', 'mask=/data', '--security-opt', 'proc-opts=hidepid=2']
    expect(await podman.output(masked, shell(count))).toBe(`0\n${keys}\nhidepid=invisible`)
    expect(await podman.output(['--security-opt', 'unmask=/proc/keys'], shell(`${count}; true`))).toBe('1\n0')
    const all = shell(`${count}; grep -c " /proc/sys " /proc/mounts; true`)
    expect(await podman.output(['--security-opt', 'unmask=ALL'], all)).toBe('1\n0\n0')
  })

  it('what the host does not have is refused or ignored as with runc', async () => {
    expect((await podman.run(['--security-opt', 'apparmor=no-such-profile'], ['true'])).exitCode).not.toBe(0)
    expect((await podman.run(['--security-opt', 'label=disable'], ['true'])).exitCode).toBe(0)
    expect((await podman.run(['--security-opt', 'apparmor=unconfined'], ['true'])).exitCode).toBe(0)
  })
})

describe('process', () => {
  it('--hostname, --add-host, --dns, --env, --env-file, --workdir, --umask, --group-add, --entrypoint', async () => {
    const file = join(podman.hostDirectory(), 'variables')
    writeFileSync(file, 'FILE=c\n')
    const flags = [
      ...['--hostname', 'named', '--add-host', 'other:9.9.9.9', '--env', 'A=b', '--env-file', file],
      ...['--umask', '0077', '--user', 'user:77', '--group-add', '78', '--entrypoint', '["sh","-c"]'],
      ...['--workdir', '/data', '--network', 'host', '--uts', 'private', '--dns', '1.2.3.4', '--dns-search', 'a.b'],
    ]
    const script =
      'hostname; grep other /etc/hosts; cat /etc/resolv.conf; echo $A $FILE; pwd; umask; id -G; echo $HOSTNAME'
    expect(await podman.output(flags, [script])).toMatch(
      /^named\n9\.9\.9\.9\s+other\nsearch a\.b\nnameserver 1\.2\.3\.4\n+b c\n\/data\n0077\n77 78\nnamed$/,
    )
  })

  it('capabilities of a user: none that were not asked for by name', async () => {
    const effective = async (...flags: string[]): Promise<string> =>
      podman.output(['--user', '1000', ...flags], shell('grep -E "Cap(Eff|Amb)" /proc/self/status | cut -f2'))
    expect(await effective()).toBe('0000000000000000\n0000000000000000')
    const chown = '0000000000000001'
    expect(await effective('--cap-drop', 'all', '--cap-add', 'chown')).toBe(`${chown}\n${chown}`)
  })

  it('--privileged: devices, writable /sys and /proc/sys, no seccomp, mounts', async () => {
    const script =
      'ls -d /dev/loop-control /dev/null; mount -t tmpfs t /data && ls /data | wc -l; grep "^Seccomp:" /proc/self/status'
    const output = await podman.output(['--privileged'], shell(`${script}; grep " /sys " /proc/mounts`))
    expect(output).toMatch(/\/dev\/null\n0\nSeccomp:\t0\nsysfs \/sys sysfs rw,/)
    const denied = await podman.run([], shell('mount -t tmpfs t /data'))
    expect(denied.stderr).toMatch(/permission denied/i)
  })

  it("--init: podman's own init is process 1, hands on signals and the exit code", async () => {
    const name = await podman.detached(
      ['--init'],
      shell('trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done'),
    )
    await podman.waitForLog(name, 'ready')
    expect(await podman.ok(['exec', name, 'cat', '/proc/1/comm'])).toBe('podman-init')
    await podman.ok(['stop', '--time', '20', name])
    expect((await podman.state(name)).ExitCode).toBe(6)
    await remove(name)
  })
})

describe('limits and kernel parameters', () => {
  it('--ulimit, --sysctl, --oom-score-adj, --cpuset-mems, --cpu-period', async () => {
    const flags = [
      ...[
        '--ulimit',
        'nofile=100:200',
        '--ulimit',
        'core=0',
        '--ulimit',
        'nproc=2048:2048',
        '--ulimit',
        'stack=1000000:2000000',
      ],
      ...['--sysctl', 'kernel.shmmax=1000000', '--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'fs.mqueue.msg_max=20'],
      ...['--oom-score-adj', '500', '--cpuset-mems', '0', '--cpu-period', '50000', '--cpu-quota', '25000'],
    ]
    const files = 'sys/kernel/shmmax sys/net/ipv4/ip_forward sys/fs/mqueue/msg_max self/oom_score_adj'
    const script = `ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -Hs; cd /proc; cat ${files}`
    expect(await podman.output(flags, shell(script))).toBe('100\n200\n0\n1953\n1000000\n1\n20\n500')
  })

  it("a parameter that is the host's is refused", async () => {
    expect((await podman.run(['--ipc', 'host', '--sysctl', 'kernel.shmmax=1000'], ['true'])).exitCode).not.toBe(0)
    expect((await podman.run(['--sysctl', 'kernel.panic=1'], ['true'])).exitCode).not.toBe(0)
  })
})

describe('devices', () => {
  it('--device with its own name and rights, --device-cgroup-rule', async () => {
    const flags = ['--device', '/dev/full:/dev/mine:r', '--device-cgroup-rule', 'c 1:9 r', '--cap-add', 'MKNOD']
    const script =
      'stat -c %t,%T /dev/mine; echo 2>/dev/null > /dev/mine || echo refused; mknod /tmp/u c 1 9; dd if=/tmp/u bs=4 count=1 2>/dev/null | wc -c'
    expect(await podman.output(flags, shell(script))).toBe('1,7\nrefused\n4')
    const without = shell('mknod /tmp/k c 1 2; cat /tmp/k')
    expect((await podman.run(['--cap-add', 'MKNOD'], without)).stderr).toMatch(/\/tmp\/k.*Operation not permitted/)
  })
})

describe('namespaces', () => {
  it('--ipc none, private and shareable; --network ns:PATH; --cgroupns', async () => {
    const names = async (kind: string, ...flags: string[]): Promise<string> =>
      podman.output(flags, ['readlink', `/proc/self/ns/${kind}`])
    for (const mode of ['none', 'private', 'shareable'])
      expect(await names('ipc', '--ipc', mode)).not.toBe(namespaceOf('self', 'ipc'))
    expect(await names('net', '--network', `ns:/proc/${process.pid}/ns/net`)).toBe(namespaceOf('self', 'net'))
    expect(await names('cgroup', '--cgroupns', 'host')).toBe(namespaceOf('self', 'cgroup'))
    expect(await names('cgroup', '--cgroupns', 'private')).not.toBe(namespaceOf('self', 'cgroup'))
  })

  it('--cgroupns private shows the container at the root of its cgroups', async () => {
    const output = await podman.output(['--cgroupns', 'private'], ['cat', '/proc/self/cgroup'])
    const paths = output.split('\n').map((line) => line.split(':')[2])
    expect(paths.filter((path) => path === '/').length).toBeGreaterThan(0)
    expect(paths.filter((path) => path?.includes('libpod'))).toEqual([])
  })
})

describe('--systemd=always', () => {
  it('has what systemd wants as process 1, its cgroup writable, and its stop signal', async () => {
    const script = `
      echo $container; for m in /run /run/lock /tmp /var/log/journal; do grep -o " $m tmpfs" /proc/mounts; done
      cgroup=/sys/fs/cgroup/systemd$(grep name=systemd /proc/self/cgroup | cut -d: -f3)
      [ -d "$cgroup" ] && mkdir "$cgroup/made" && echo made
      trap "exit 9" 37; echo ready; while :; do sleep 0.05; done`
    const init = join(podman.hostDirectory(), 'init')
    writeFileSync(init, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const flags = ['--systemd', 'always', '--volume', `${init}:/sbin/init:ro`, '--cgroupns', 'host']
    const name = podman.name()
    await podman.ok(podman.runArguments(['--detach', '--name', name, ...flags], ['/sbin/init']))
    await podman.waitForLog(name, 'ready')
    const made = isV1('name=systemd') ? 'made\n' : ''
    expect(await podman.ok(['logs', name])).toBe(
      `podman\n /run tmpfs\n /run/lock tmpfs\n /tmp tmpfs\n /var/log/journal tmpfs\n${made}ready`,
    )
    const id = await podman.id(name)
    await podman.ok(['stop', '--time', '20', name])
    expect((await podman.state(name)).ExitCode).toBe(9)
    await remove(name)
    await podman.expectNothingLeft(id)
  })
})

describe('the end of a container', () => {
  it.each([
    ['TERM', '143'],
    ['SEGV', '139'],
  ])('podman wait tells that %s ended a process in the pid namespace of the host', async (signal, code) => {
    const name = await podman.detached(['--pid', 'host'], ['sleep', '1000'])
    await podman.ok(['kill', '--signal', signal, name])
    expect(await podman.ok(['wait', name])).toBe(code)
    await remove(name)
  })

  it('--timeout ends it', async () => {
    const name = await podman.detached(['--timeout', '1'], ['sleep', '1000'])
    expect(await podman.ok(['wait', name])).toBe('-1')
    await remove(name)
  })

  it.each(['always', 'unless-stopped'])('--restart %s starts it again', async (policy) => {
    const count = join(podman.hostDirectory(), 'count')
    writeFileSync(count, '')
    const script = 'echo run >> /count; [ $(wc -l < /count) -ge 3 ] && sleep 1000; exit 1'
    const name = await podman.detached(['--restart', policy, '--volume', `${count}:/count`], shell(script))
    await waitFor(async () => {
      const restarts = await podman.ok([
        'container',
        'inspect',
        '--format',
        '{{.RestartCount}} {{.State.Status}}',
        name,
      ])
      return restarts === '2 running'
    })
    await remove(name)
  })
})
