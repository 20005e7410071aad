/** `podman exec`: conmon calls the runtime's `exec --process --detach`, with a pid file and perhaps a console socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive, namespaceOf } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
let name = ''

beforeAll(async () => {
  name = await podman.detached(['--env', 'OF=container'], ['sleep', '1000'])
})
afterAll(async () => {
  if (name !== '') await podman.call(['rm', '--force', '--time', '0', name])
})

describe('podman exec', () => {
  it('hands on stdout and stderr', async () => {
    const result = await podman.call(['exec', name, 'sh', '-c', 'echo out; echo err >&2'])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'out', stderr: 'err' })
  })

  it('hands on stdin', async () => {
    expect(await podman.ok(['exec', '-i', name, 'wc', '-c'], { input: 'four' })).toBe('4')
  })

  it.each([0, 7, 255])('exits %i as the process did', async (code) => {
    expect((await podman.call(['exec', name, 'sh', '-c', `exit ${code}`])).exitCode).toBe(code)
  })

  it('exits 137 when the process dies of SIGKILL', async () => {
    expect((await podman.call(['exec', name, 'sh', '-c', 'kill -9 $$'])).exitCode).toBe(137)
  })

  it('exits 127 when the executable is missing', async () => {
    const result = await podman.call(['exec', name, '/bin/no-such-program'])
    expect(result.exitCode).toBe(127)
    expect(result.stderr).toMatch(/no-such-program.*(no such file or directory|executable file not found)/i)
  })

  it('exits 126 when the file is not executable', async () => {
    const result = await podman.call(['exec', name, '/etc/passwd'])
    expect(result.exitCode).toBe(126)
    expect(result.stderr).toMatch(/\/etc\/passwd.*permission denied/i)
  })

  it("is in the container's namespaces", async () => {
    const { Pid } = await podman.state(name)
    for (const kind of ['pid', 'net', 'ipc', 'uts', 'mnt'])
      expect(await podman.ok(['exec', name, 'readlink', `/proc/self/ns/${kind}`])).toBe(namespaceOf(Pid, kind))
  })

  it("is in the container's cgroup", async () => {
    const cgroups = await podman.ok([
      'exec',
      name,
      'sh',
      '-c',
      'cmp /proc/1/cgroup /proc/self/cgroup; cat /proc/self/cgroup',
    ])
    expect(cgroups).toContain(`/libpod-${await podman.id(name)}`)
    expect(cgroups).not.toContain('differ')
  })

  it('has the environment of the container and its own', async () => {
    expect(await podman.ok(['exec', '--env', 'MY=own', name, 'sh', '-c', 'echo $OF $MY'])).toBe('container own')
  })

  it('--user and --workdir', async () => {
    const output = await podman.ok([
      'exec',
      '--user',
      '1000:1000',
      '--workdir',
      '/tmp',
      name,
      'sh',
      '-c',
      'id -u; id -g; pwd',
    ])
    expect(output).toBe('1000\n1000\n/tmp')
  })

  it('--privileged has more capabilities', async () => {
    const effective = ['sh', '-c', 'grep CapEff /proc/self/status']
    const plain = await podman.ok(['exec', name, ...effective])
    const privileged = await podman.ok(['exec', '--privileged', name, ...effective])
    expect(BigInt(`0x${privileged.split('\t')[1]}`)).toBeGreaterThan(BigInt(`0x${plain.split('\t')[1]}`))
  })

  it('--detach goes on after podman has returned', async () => {
    await podman.ok(['exec', '--detach', name, 'sh', '-c', 'sleep 0.3; echo done > /tmp/detached'])
    await waitFor(async () => (await podman.call(['exec', name, 'cat', '/tmp/detached'])).stdout === 'done')
  })

  it('ten at once', async () => {
    const words = Array.from({ length: 10 }, (_, index) => String(index))
    expect(await Promise.all(words.map((word) => podman.ok(['exec', name, 'echo', word])))).toEqual(words)
  })

  it('dies with its container', async () => {
    const other = await podman.detached([], ['sleep', '1000'])
    await podman.ok(['exec', '--detach', other, 'sleep', '2000'])
    const pid = Number((await podman.ok(['top', other, 'hpid', 'args'])).match(/^(\d+)\s+sleep 2000/m)?.[1])
    expect(isAlive(pid)).toBe(true)
    await podman.ok(['rm', '--force', '--time', '0', other])
    await waitFor(() => !isAlive(pid))
  })
})

describe('podman exec -it', () => {
  it('gives the process a terminal of the container', async () => {
    const session = podman.onTerminal(['exec', '-it', name, 'sh', '-c', 'tty; exit 7'])
    expect(await session.exitCode).toBe(7)
    expect(session.screen()).toMatch(/^\/dev\/pts\/\d+\r\n$/)
  })

  it('carries what is typed, ^C included', async () => {
    const session = podman.onTerminal(['exec', '-it', name, 'sh'])
    session.type('echo $((20 + 22))\r')
    await session.shows('\n42\r\n')
    session.type('sleep 1000\r')
    await session.shows('sleep 1000\r\n')
    await waitFor(async () => /\bsleep 1000\b.*\n.*\bsleep 1000\b/s.test(await podman.ok(['top', name, 'args'])))
    session.type('\x03')
    session.type('exit 9\r')
    expect(await session.exitCode).toBe(9)
  })

  it('--user owns the terminal', async () => {
    const session = podman.onTerminal(['exec', '-it', '--user', '1000', name, 'sh', '-c', 'stat -c %u "$(tty)"'])
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toBe('1000\r\n')
  })
})
