/** `docker run`: what goes in, what comes out, and the flags of a container. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cgroupOf, isV1, readCgroup } from '../../support/cgroup-files.ts'
import { namespaceOf } from '../../support/proc.ts'
import { useDocker } from '../support/docker.ts'

const docker = useDocker()
const sh = (script: string): string[] => ['sh', '-c', script]

describe('docker run', () => {
  it('hands on stdin, stdout and stderr', async () => {
    const result = await docker.run(['-i'], sh('cat; echo $FROM; echo err >&2'), { input: 'in\n' })
    expect(result).toEqual({ exitCode: 0, stdout: 'in\nimage', stderr: 'err' })
  })

  it.each([0, 7, 255])('exits %i as the process did', async (code) => {
    expect(await docker.run([], sh(`exit ${code}`))).toEqual({ exitCode: code, stdout: '', stderr: '' })
  })

  it.each([
    ['KILL', 137],
    ['SEGV', 139],
  ])('of a process that dies of SIG%s exits %i', async (signal, code) => {
    expect((await docker.run(['--pid', 'host'], sh(`kill -${signal} $$`))).exitCode).toBe(code)
  })

  it('five at once, each with its own exit code', async () => {
    const codes = [1, 2, 3, 4, 5]
    const results = await Promise.all(codes.map((code) => docker.run([], sh(`sleep 0.2; exit ${code}`))))
    expect(results.map(({ exitCode }) => exitCode)).toEqual(codes)
  })
})

describe('docker run -it', () => {
  it('gives the container a terminal of its own, of the size of the caller', async () => {
    const session = docker.onTerminal(['run', '--rm', '-it', docker.image, 'sh'], { rows: 22, columns: 66 })
    session.type('tty; until stty size | grep "22 66"; do sleep 0.05; done\r')
    await session.shows(/\n\/dev\/pts\/0\r\n/)
    await session.shows(/\n22 66\r\n/)
    session.grow()
    session.type('until stty size | grep "44 132"; do sleep 0.05; done\r')
    await session.shows(/\n44 132\r\n/)
    session.type("sh -c 'echo $((40 + 2)); exec sleep 1000'\r")
    await session.shows(/\n42\r\n/)
    session.type('\x03')
    session.type('exit 6\r')
    expect(await session.exitCode).toBe(6)
  })

  it('works for a user that is not root', async () => {
    const command = sh('id -u; echo written > $(tty)')
    const session = docker.onTerminal(['run', '--rm', '-it', '--user', '1000', docker.image, ...command])
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toBe('1000\r\nwritten\r\n')
  })
})

describe('the file system', () => {
  it('--read-only with --tmpfs and --volume', async () => {
    const host = docker.hostDirectory()
    writeFileSync(join(host, 'in'), 'from the host')
    const flags = ['--read-only', '--tmpfs', '/run:size=1m,mode=1770', '--volume', `${host}:/mnt:ro`]
    const { stdout, stderr } = await docker.run(
      [...flags, '--volume', 'named:/named'],
      sh('cat /mnt/in; touch /run/a /named/a; stat -c %a /run; grep -o "size=1024k" /proc/mounts; touch /new /mnt/new'),
    )
    expect(stdout).toBe('from the host1770\nsize=1024k')
    expect(stderr).toMatch(/\/new: Read-only file system\n.*\/mnt\/new: Read-only file system/)
    expect(await docker.output(['--volume', 'named:/named'], ['ls', '/named'])).toBe('a')
    await docker.ok(['volume', 'rm', 'named'])
  })

  it('--mount with a sub-directory that is shared with the host', async () => {
    const host = docker.hostDirectory()
    const mount = `type=bind,source=${host},target=/mnt,bind-propagation=rprivate`
    await docker.output(['--mount', mount], sh('echo written > /mnt/out'))
    expect(readFileSync(join(host, 'out'), 'utf8')).toBe('written\n')
  })

  it('hosts, resolv.conf and the name are those of the container', async () => {
    const flags = ['--hostname', 'inside', '--add-host', 'added:1.2.3.4', '--dns', '9.9.9.9', '--network', 'none']
    const text = await docker.output(flags, sh('hostname; grep added /etc/hosts; grep -c . /etc/resolv.conf'))
    expect(text).toMatch(/^inside\n1\.2\.3\.4\s+added\n\d+$/)
  })

  it('masks and write-protects what the engine names', async () => {
    const { stdout, stderr } = await docker.run(
      [],
      sh('cat /proc/keys /proc/timer_list 2>/dev/null | wc -c; echo 1 > /proc/sys/kernel/panic'),
    )
    expect(stdout).toBe('0')
    expect(stderr).toContain('Read-only file system')
  })

  it('--shm-size, --workdir, --env', async () => {
    const flags = ['--shm-size', '3m', '--workdir', '/made/here', '--env', 'A=b c']
    expect(await docker.output(flags, sh('grep -o "size=3072k" /proc/mounts; pwd; echo $A'))).toBe(
      'size=3072k\n/made/here\nb c',
    )
  })
})

describe('the process', () => {
  const status = async (...flags: string[]): Promise<Record<string, string>> => {
    const text = await docker.output(flags, ['cat', '/proc/self/status'])
    return Object.fromEntries(text.split('\n').map((line) => line.split(':\t') as [string, string]))
  }

  it('has the capabilities and the seccomp filter of the engine', async () => {
    expect(await status()).toMatchObject({ NoNewPrivs: '0', Seccomp: '2', CapEff: '00000000a80425fb' })
  })

  it('--cap-drop, --cap-add, --security-opt no-new-privileges and seccomp=unconfined', async () => {
    const options = ['--security-opt', 'no-new-privileges', '--security-opt', 'seccomp=unconfined']
    const changed = await status('--cap-drop', 'CHOWN', '--cap-add', 'SYS_ADMIN', ...options)
    expect(changed).toMatchObject({ NoNewPrivs: '1', Seccomp: '0', CapEff: '00000000a82425fa' })
    expect(await status('--cap-drop', 'ALL')).toMatchObject({ CapEff: '0000000000000000' })
  })

  it('--privileged has all capabilities, and the devices of the host', async () => {
    const text = await docker.output(['--privileged'], sh('grep CapEff /proc/self/status; ls /dev/full /dev/kmsg'))
    const bounding = /^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    expect(text).toBe(`CapEff:\t${bounding}\n/dev/full\n/dev/kmsg`)
  })

  it('--user, --group-add', async () => {
    const flags = ['--user', '1000:1001', '--group-add', '77']
    expect(await docker.output(flags, sh('id -u; id -g; id -G'))).toBe('1000\n1001\n1001 77')
  })

  it('--ulimit, --oom-score-adj, --sysctl', async () => {
    const flags = ['--ulimit', 'nofile=200:300', '--oom-score-adj', '500', '--sysctl', 'net.ipv4.ip_forward=1']
    const script = 'ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward'
    expect(await docker.output([...flags, '--network', 'none'], sh(script))).toBe('200\n300\n500\n1')
  })

  it('--init is process 1, and reaps', async () => {
    const script = 'cat /proc/1/comm; (sleep 0.1 & ); sleep 0.3; ps -o stat | grep -c Z'
    expect((await docker.run(['--init'], sh(script))).stdout).toBe('docker-init\n0')
  })

  it('a seccomp profile of its own decides the error of a system call', async () => {
    const profile = join(docker.hostDirectory(), 'profile.json')
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }))
    const { stderr } = await docker.run(['--security-opt', `seccomp=${profile}`], ['mkdir', '/new'])
    expect(stderr).toContain('No space left on device')
  })
})

describe('devices', () => {
  it('--device with its own name and rights', async () => {
    const script =
      'stat -c %t,%T /dev/mine; echo 2>/dev/null > /dev/mine || echo refused; dd if=/dev/mine bs=4 count=1 2>/dev/null | wc -c'
    expect(await docker.output(['--device', '/dev/full:/dev/mine:r'], sh(script))).toBe('1,7\nrefused\n4')
  })

  it('a device that no rule allows is refused', async () => {
    const { stderr } = await docker.run([], sh('mknod /tmp/k c 1 2; cat /tmp/k'))
    expect(stderr).toContain('Operation not permitted')
  })

  it('--device-cgroup-rule allows another', async () => {
    const script = sh('mknod /tmp/k c 1 11; cat < /dev/null > /tmp/k && echo allowed')
    expect(await docker.output(['--device-cgroup-rule', 'c 1:11 rw'], script)).toBe('allowed')
  })
})

describe('namespaces', () => {
  const inode = (kind: string, ...flags: string[]): Promise<string> =>
    docker.output(flags, ['readlink', `/proc/self/ns/${kind}`])

  it('are its own but for those of the host', async () => {
    for (const kind of ['pid', 'ipc', 'uts', 'mnt', 'net', 'cgroup'])
      expect(await inode(kind, '--network', 'none', '--cgroupns', 'private'), kind).not.toBe(namespaceOf('self', kind))
  })

  it.each([
    ['net', ['--network', 'host']],
    ['pid', ['--pid', 'host']],
    ['ipc', ['--ipc', 'host']],
    ['uts', ['--uts', 'host']],
    ['cgroup', ['--cgroupns', 'host']],
  ])('the %s namespace of the host with %j', async (kind, flags) => {
    expect(await inode(kind, ...flags)).toBe(namespaceOf('self', kind))
  })
})

describe('limits', () => {
  it('--memory, --cpus, --pids-limit, --cpu-shares and --cgroup-parent', async () => {
    const parent = `${docker.cgroupParent}/deeper`
    const limits = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '50', '--cpu-shares', '512']
    const name = await docker.detached([...limits, '--cgroup-parent', parent], ['sleep', '1000'])
    const pid = await docker.pid(name)
    expect(cgroupOf(pid, 'memory')).toContain(`${parent}/${await docker.inspect<string>(name, '.Id')}`)
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(64 << 20))
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('50')
    expect(readCgroup(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000\b/)
    expect(readCgroup(pid, 'cpu', 'cpu.shares', 'cpu.weight')).toBe(isV1('cpu') ? '512' : '20')
    await docker.remove(name)
  })

  it('--pids-limit holds', async () => {
    const { stderr } = await docker.run(['--pids-limit', '3'], sh('for i in 1 2 3 4 5; do sleep 1 & done; wait'))
    expect(stderr).toContain("can't fork")
  })
})
