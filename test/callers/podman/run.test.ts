/** What a person sees of `podman run`: output, exit codes, signals, the terminal. */
import { describe, expect, it } from 'vitest'
import { runtimePath } from '../../support/runtime.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

it('podman info names the runtime under test', async () => {
  expect(await podman.ok(['info', '--format', '{{.Host.OCIRuntime.Path}}'])).toBe(runtimePath)
})

describe('podman run', () => {
  it('hands on stdout and stderr', async () => {
    const result = await podman.run([], ['sh', '-c', 'echo out; echo err >&2'])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'out', stderr: 'err' })
  })

  it('hands on a megabyte of stdin unchanged', async () => {
    const input = Buffer.alloc(1 << 20, 'abcdefghijklmnopqrstuvwxyz\n').toString()
    const result = await podman.run(['-i'], ['cat'], { input })
    expect(result.exitCode).toBe(0)
    expect(result.stdout === input.trimEnd()).toBe(true)
  })

  it.each([0, 7, 255])('exits %i as the process did', async (code) => {
    expect(await podman.run([], ['sh', '-c', `exit ${code}`])).toMatchObject({ exitCode: code, stderr: '' })
  })

  it('exits 137 when the process dies of SIGKILL', async () => {
    const name = await podman.detached([], ['sleep', '1000'])
    const waiting = podman.ok(['wait', name])
    await podman.ok(['kill', '--signal', 'KILL', name])
    expect(await waiting).toBe('137')
    await podman.ok(['rm', name])
  })

  it('exits 127 and names an executable that is missing', async () => {
    const result = await podman.run([], ['/bin/no-such-program'])
    expect(result.exitCode).toBe(127)
    expect(result.stderr).toContain('/bin/no-such-program')
    expect(result.stderr).toContain('not found')
  })

  it('exits 127 when a name is in no directory of PATH', async () => {
    const result = await podman.run([], ['no-such-program'])
    expect(result.exitCode).toBe(127)
    expect(result.stderr).toMatch(/no-such-program.*executable file not found in/)
  })

  it('exits 126 when the file is not executable', async () => {
    const result = await podman.run([], ['/etc/passwd'])
    expect(result.exitCode).toBe(126)
    expect(result.stderr).toMatch(/\/etc\/passwd.*permission denied/i)
  })

  it('exits 126 when the program is a directory', async () => {
    expect(await podman.run([], ['/etc'])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('/etc') })
  })

  it('gives the process its environment, working directory and host name', async () => {
    const flags = ['--env', 'COLOUR=dark blue', '--workdir', '/tmp', '--hostname', 'somewhere']
    const output = await podman.output(flags, ['sh', '-c', 'echo "$COLOUR"; pwd; hostname; cat /etc/hostname'])
    expect(output.split('\n')).toEqual(['dark blue', '/tmp', 'somewhere', 'somewhere'])
  })

  it('brings the loopback interface of a new network namespace up', async () => {
    expect(await podman.output([], ['cat', '/sys/class/net/lo/flags'])).toBe('0x9')
  })

  it('passes SIGTERM on to the process', async () => {
    const name = podman.name()
    const command = ['sh', '-c', 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done']
    const session = podman.onTerminal(podman.runArguments(['--rm', '--name', name], command))
    await session.shows('ready')
    await podman.ok(['kill', '--signal', 'TERM', name])
    expect(await session.exitCode).toBe(42)
  })

  it('runs four containers at once', async () => {
    const results = await Promise.all(['1', '2', '3', '4'].map((word) => podman.run([], ['echo', word])))
    expect(results.map(({ stdout }) => stdout)).toEqual(['1', '2', '3', '4'])
  })
})

describe('podman run with descriptors of the caller', () => {
  const opening = (script: string): string[] => [
    'sh',
    '-c',
    `exec 3</etc/passwd 4</etc/group; ${script} exec "$@"`,
    'sh',
  ]
  const list = [
    'sh',
    '-c',
    'cd /proc/self/fd; for fd in 3 4 5; do readlink $fd || echo none; done; env | grep LISTEN_; :',
  ]

  it('--preserve-fds 2 hands on two', async () => {
    const result = await podman.run(['--preserve-fds', '2'], list, { through: opening('') })
    expect(result).toMatchObject({ exitCode: 0, stdout: '/etc/passwd\n/etc/group\nnone' })
  })

  it('without it there are none', async () => {
    const result = await podman.run([], list, { through: opening('') })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'none\nnone\nnone' })
  })

  it('hands on the sockets of LISTEN_FDS', async () => {
    const through = opening('export LISTEN_FDS=2 LISTEN_PID=$$;')
    const { exitCode, stdout } = await podman.run([], list, { through })
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').slice(0, 2)).toEqual(['/etc/passwd', '/etc/group'])
    expect(stdout).toContain('LISTEN_FDS=2')
  })
})

describe('podman run -it', () => {
  it('gives the container a terminal of its own', async () => {
    const session = podman.onTerminal(
      podman.runArguments(['--rm', '-it'], ['sh', '-c', 'tty; ls -l /dev/console; exit 7']),
    )
    expect(await session.exitCode).toBe(7)
    expect(session.screen()).toMatch(/^\/dev\/pts\/0\r\n/)
    expect(session.screen()).toMatch(/crw.* 136, +0 .*\/dev\/console\r\n/)
  })

  it('carries what is typed, and the size', async () => {
    const command = ['sh', '-c', 'read word; echo "got $word"; until stty size | grep -x "33 77"; do sleep 0.05; done']
    const session = podman.onTerminal(podman.runArguments(['--rm', '-it'], command), { rows: 33, columns: 77 })
    session.type('hello\r')
    await session.shows('got hello\r\n')
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toContain('33 77\r\n')
  })

  it('grows with the terminal', async () => {
    const command = [
      'sh',
      '-c',
      'trap "stty size" WINCH; echo ready; until stty size | grep -x "96 320"; do sleep 0.05; done',
    ]
    const session = podman.onTerminal(podman.runArguments(['--rm', '-it'], command))
    await session.shows('ready')
    session.grow()
    await session.shows('48 160')
    session.grow()
    expect(await session.exitCode).toBe(0)
  })

  it('turns a typed ^C into SIGINT for the foreground process', async () => {
    const command = ['sh', '-c', 'trap "exit 43" INT; echo ready; while :; do sleep 0.05; done']
    const session = podman.onTerminal(podman.runArguments(['--rm', '-it'], command))
    await session.shows('ready')
    session.type('\x03')
    expect(await session.exitCode).toBe(43)
  })

  it('works for a user that is not root', async () => {
    const command = ['sh', '-c', 'stat -c %u "$(tty)"; echo written > /dev/tty']
    const session = podman.onTerminal(podman.runArguments(['--rm', '-it', '--user', '1000'], command))
    expect(await session.exitCode).toBe(0)
    expect(session.screen()).toBe('1000\r\nwritten\r\n')
  })
})
