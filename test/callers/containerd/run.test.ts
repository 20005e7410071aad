/** `ctr run`: what containerd's shim asks of a runtime, and what the person at ctr sees of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { cgroupMounts, cgroupsOf, isAlive, namespaceOf, processStat } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useContainerd } from '../support/containerd.ts'

const containerd = useContainerd()

/** A namespace of this very process, for --with-ns. */
const hostNamespace = (kind: 'pid' | 'network'): string =>
  `${kind}:/proc/${process.pid}/ns/${kind === 'network' ? 'net' : kind}`

describe('ctr run in the foreground', () => {
  it('hands on stdin, stdout and stderr, and leaves no trace', async () => {
    const id = containerd.id()
    const args = containerd.runArguments(['--rm'], id, ['sh', '-c', 'read line; echo $line; echo err >&2'])
    const result = await containerd.call(args, { input: 'from stdin\n' })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'from stdin', stderr: 'err' })
    await containerd.expectNothingLeft(id)
  })

  it.each([0, 7, 255])('exits %i as the process did', async (code) => {
    expect((await containerd.run([], ['sh', '-c', `exit ${code}`])).exitCode).toBe(code)
  })

  it('exits 137 when process 1 is killed', async () => {
    const id = containerd.id()
    const running = containerd.call(containerd.runArguments(['--rm'], id, ['sleep', '1000']))
    await containerd.waitForStatus(id, 'RUNNING')
    await containerd.ok(['task', 'kill', '--signal', 'KILL', id])
    expect((await running).exitCode).toBe(137)
  })

  it.each([
    ['is missing', '/bin/no-such-program', /exec: "\/bin\/no-such-program": stat .*: no such file or directory/],
    ['is nowhere in PATH', 'no-such-program', /exec: "no-such-program": executable file not found in \$PATH/],
    ['is not executable', '/etc/passwd', /exec: "\/etc\/passwd": permission denied/],
  ])('names a program that %s, and leaves no trace', async (_, program, message) => {
    const id = containerd.id()
    const result = await containerd.call(containerd.runArguments([], id, [program]))
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) })
    expect(await containerd.task(id)).toBeUndefined()
    await containerd.ok(['container', 'delete', id])
    await containerd.expectNothingLeft(id)
  })

  it('--tty: a terminal of the container, with the size of this one', async () => {
    const args = containerd.runArguments(['--rm', '--tty'], containerd.id(), ['sh'])
    const session = containerd.onTerminal(args, { rows: 33, columns: 77 })
    session.type('tty; until stty size | grep "33 77"; do sleep 0.05; done\r')
    await session.shows(/\n\/dev\/pts\/0\r+\n/)
    await session.shows(/\n33 77\r+\n/)
    // Said by the process itself: between two of them ^C is nobody's.
    session.type("sh -c 'echo $((40 + 2)); exec sleep 1000'\r")
    await session.shows(/\n42\r+\n/)
    session.type('\x03exit 5\r')
    expect(await session.exitCode).toBe(5)
  })
})

describe('ctr run --detach', () => {
  it("has process 1 as the task's pid, the shim's child, in its cgroup in every hierarchy", async () => {
    const pidFile = join(containerd.hostDirectory(), 'pid')
    const id = await containerd.detached(['--pid-file', pidFile], ['sleep', '1234'])
    const pid = await containerd.pid(id)
    expect(readFileSync(pidFile, 'utf8')).toBe(String(pid))
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\x001234\0')
    expect(processStat(pid)?.ppid).toBe(containerd.shim(id))
    const expected = Object.keys(cgroupMounts()).map((hierarchy) => [hierarchy, `${containerd.cgroupParent}/${id}`])
    expect(cgroupsOf(pid)).toMatchObject(Object.fromEntries(expected))
    await containerd.remove(id)
    expect(isAlive(pid)).toBe(false)
    await containerd.expectNothingLeft(id)
  })

  it('five at once, each with its own exit code', async () => {
    const codes = [0, 1, 2, 3, 4]
    const ids = await Promise.all(codes.map((code) => containerd.detached([], ['sh', '-c', `sleep 0.2; exit ${code}`])))
    expect(await Promise.all(ids.map((id) => containerd.exitCode(id)))).toEqual(codes)
    await Promise.all(ids.map((id) => containerd.remove(id)))
    await containerd.expectNothingLeft(...ids)
  })
})

describe('the flags of ctr run', () => {
  it('--env, --cwd, --mount, --read-only', async () => {
    const host = containerd.hostDirectory()
    writeFileSync(join(host, 'in'), 'from the host')
    const { stdout, stderr } = await containerd.run(
      ['--env', 'A=b', '--cwd', '/tmp', '--read-only', '--mount', `type=bind,src=${host},dst=/mnt,options=rbind:ro`],
      ['sh', '-c', 'echo $FROM $A; pwd; cat /mnt/in; touch /new /mnt/new'],
    )
    expect(stdout).toBe('the image b\n/tmp\nfrom the host')
    expect(stderr).toMatch(/\/new: Read-only file system\n.*\/mnt\/new: Read-only file system/)
  })

  const status = async (...flags: string[]): Promise<Record<string, string>> => {
    const text = await containerd.output(flags, ['cat', '/proc/self/status'])
    return Object.fromEntries(text.split('\n').map((line) => line.split(':\t') as [string, string]))
  }

  it('--cap-add, --cap-drop, --seccomp', async () => {
    const plain = await status()
    expect(plain).toMatchObject({ NoNewPrivs: '1', Seccomp: '0', CapBnd: '00000000a80425fb' })
    const changed = await status('--cap-add', 'CAP_SYS_ADMIN', '--cap-drop', 'CAP_CHOWN', '--seccomp')
    expect(changed).toMatchObject({
      NoNewPrivs: '1',
      Seccomp: '2',
      CapEff: '00000000a82425fa',
      CapBnd: '00000000a82425fa',
    })
  })

  it('--privileged, --allow-new-privs', async () => {
    const bounding = /^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    expect(await status('--privileged', '--allow-new-privs')).toMatchObject({ NoNewPrivs: '0', CapEff: bounding })
  })

  it('--seccomp-profile decides the error of a system call', async () => {
    const profile = join(containerd.hostDirectory(), 'profile.json')
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }))
    const { stderr } = await containerd.run(['--seccomp', '--seccomp-profile', profile], ['mkdir', '/new'])
    expect(stderr).toContain('No space left on device')
  })

  it('--net-host and --with-ns', async () => {
    const network = ['readlink', '/proc/self/ns/net']
    expect(await containerd.output([], network)).not.toBe(namespaceOf('self', 'net'))
    expect(await containerd.output(['--net-host'], network)).toBe(namespaceOf('self', 'net'))
    expect(await containerd.output(['--with-ns', hostNamespace('network')], network)).toBe(namespaceOf('self', 'net'))
  })

  it('--device, --no-pivot', async () => {
    const flags = ['--device', '/dev/full', '--no-pivot']
    expect(await containerd.output(flags, ['sh', '-c', 'echo > /dev/full || stat -c %t,%T /dev/full'])).toBe('1,7')
  })

  it('--rootfs: a directory instead of an image', async () => {
    const id = containerd.id()
    const flags = ['--rm', '--rootfs']
    const rootfs = containerd.hostDirectory()
    await execa('tar', ['--extract', '--directory', rootfs, '--file', join(containerd.directory, 'rootfs.tar')])
    const args = containerd.runArguments(flags, id, ['/bin/cat', '/data/from-the-image'], rootfs)
    expect(await containerd.ok(args)).toBe('kept')
    await containerd.expectNothingLeft(id)
  })
})

describe('a task in the pid namespace of the host', () => {
  it('kill --all ends all its processes; the exit code is that of the signal', async () => {
    const command = ['sh', '-c', 'sleep 5432 & echo child $!; exec sleep 1000']
    const id = await containerd.detached(['--with-ns', hostNamespace('pid')], command)
    await containerd.waitForLog(id, 'child')
    const child = Number(/child (\d+)/.exec(containerd.logOf(id))?.[1])
    expect(isAlive(child)).toBe(true)
    await containerd.ok(['task', 'kill', '--all', '--signal', 'TERM', id])
    await waitFor(() => !isAlive(child))
    expect(await containerd.exitCode(id)).toBe(143)
    await containerd.remove(id)
  })
})
