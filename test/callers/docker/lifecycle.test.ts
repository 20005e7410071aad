/** A container that outlives the docker command that made it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, processStat } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useDocker } from '../support/docker.ts'

const docker = useDocker()
const sh = (script: string): string[] => ['sh', '-c', script]
/** A shell as process 1 that says `ready`, then runs `traps` until it ends. */
const trapping = (traps: string): string[] => sh(`${traps}; echo ready; while :; do sleep 0.05; done`)

async function ready(command: string[], flags: string[] = []): Promise<string> {
  const name = await docker.detached(flags, command)
  await docker.waitForLog(name, 'ready')
  return name
}

describe('a running container', () => {
  it("has process 1 of the container as its pid, which is the shim's child", async () => {
    const name = await docker.detached([], ['sleep', '1234'])
    const { Pid, Status } = await docker.state(name)
    expect(Status).toBe('running')
    expect(readFileSync(`/proc/${Pid}/cmdline`, 'utf8')).toBe('sleep\x001234\0')
    expect(readFileSync(`/proc/${processStat(Pid)?.ppid}/cmdline`, 'utf8')).toMatch(/containerd-shim-runc-v2/)
    expect(await docker.ok(['top', name, '-o', 'pid,args'])).toMatch(new RegExp(`^${Pid} +sleep 1234`, 'm'))
    await docker.remove(name)
  })

  it('keeps stdout and stderr apart in its log', async () => {
    const name = await docker.detached([], sh('echo one; echo two >&2; echo three'))
    expect(await docker.ok(['wait', name])).toBe('0')
    expect(await docker.call(['logs', name])).toEqual({ exitCode: 0, stdout: 'one\nthree', stderr: 'two' })
    await docker.remove(name)
  })

  it('takes files with docker cp and gives them back', async () => {
    const name = await docker.detached([], ['sleep', '1000'])
    const directory = docker.hostDirectory()
    writeFileSync(join(directory, 'in'), 'copied')
    await docker.ok(['cp', join(directory, 'in'), `${name}:/tmp/in`])
    expect((await docker.exec(name, ['cat', '/tmp/in'])).stdout).toBe('copied')
    await docker.ok(['cp', `${name}:/tmp/in`, join(directory, 'out')])
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('copied')
    expect(await docker.ok(['diff', name])).toMatch(/^A \/tmp\/in$/m)
    await docker.remove(name)
  })

  it('can be attached to, and left', async () => {
    const name = await docker.detached(['-it'], ['sh'])
    const session = docker.onTerminal(['attach', name])
    session.type('echo $((40 + 2))\r')
    await session.shows('\n42\r\n')
    session.type('\x10\x11')
    await session.shows('read escape sequence')
    expect((await docker.state(name)).Status).toBe('running')
    await docker.remove(name)
  })

  it('has figures in docker stats, and in its limits what docker update says', async () => {
    const name = await docker.detached(['--memory', '64m'], ['sleep', '1000'])
    const line = async (): Promise<string> =>
      docker.ok(['stats', '--no-stream', '--format', '{{.PIDs}} {{.MemUsage}}', name])
    expect(await line()).toMatch(/^1 \S+ ?\/ 64MiB$/)
    await docker.ok(['update', '--memory', '32m', '--memory-swap', '32m', '--pids-limit', '20', name])
    expect(await line()).toMatch(/^1 \S+ ?\/ 32MiB$/)
    const { stdout } = await docker.exec(name, sh('cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max'))
    expect(stdout).toBe('20')
    await docker.remove(name)
  })
})

describe('docker pause', () => {
  it('stops it until unpause', async () => {
    const name = await docker.detached([], sh('while :; do echo tick; sleep 0.05; done'))
    await docker.waitForLog(name, 'tick')
    await docker.ok(['pause', name])
    expect(await docker.state(name)).toMatchObject({ Status: 'paused', Paused: true })
    const before = await docker.ok(['logs', name])
    expect((await docker.exec(name, ['true'])).exitCode).not.toBe(0)
    expect(await docker.ok(['logs', name])).toBe(before)
    await docker.ok(['unpause', name])
    await waitFor(async () => (await docker.ok(['logs', name])).length > before.length)
    await docker.remove(name)
  })
})

describe('its end', () => {
  it('docker stop sends SIGTERM, and SIGKILL after the time', async () => {
    const polite = await ready(trapping('trap "exit 9" TERM'))
    await docker.ok(['stop', polite])
    expect(await docker.state(polite)).toMatchObject({ Status: 'exited', ExitCode: 9 })
    const stubborn = await ready(trapping('trap "" TERM'))
    await docker.ok(['stop', '--time', '1', stubborn])
    expect(await docker.state(stubborn)).toMatchObject({ Status: 'exited', ExitCode: 137 })
    await docker.remove(polite, stubborn)
  })

  it('docker kill sends any signal', async () => {
    const name = await ready(trapping('trap "echo got HUP" HUP'))
    await docker.ok(['kill', '--signal', 'HUP', name])
    await docker.waitForLog(name, 'got HUP')
    await docker.ok(['kill', name])
    await docker.waitForStatus(name, 'exited')
    expect((await docker.state(name)).ExitCode).toBe(137)
    await docker.remove(name)
  })

  it('docker restart makes another process of it, with the same files', async () => {
    const name = await ready(sh('echo run >> /runs; cat /runs; echo ready; exec sleep 1000'))
    const first = await docker.pid(name)
    await docker.ok(['restart', '--time', '0', name])
    await docker.waitForLog(name, 'run\nrun\n')
    expect(isAlive(first)).toBe(false)
    expect(await docker.pid(name)).not.toBe(first)
    await docker.remove(name)
  })

  it('--restart on-failure starts it again', async () => {
    const name = await docker.detached(['--restart', 'on-failure:2'], sh('echo run; exit 3'))
    await waitFor(async () => (await docker.inspect<number>(name, '.RestartCount')) === 2)
    await docker.waitForStatus(name, 'exited')
    expect(await docker.ok(['logs', name])).toBe('run\nrun\nrun')
    expect((await docker.state(name)).ExitCode).toBe(3)
    await docker.remove(name)
  })

  it('for lack of memory is told', async () => {
    const flags = ['--memory', '24m', '--memory-swap', '24m']
    const name = await docker.detached(flags, sh('dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1; exit 4'))
    await docker.waitForStatus(name, 'exited')
    expect(await docker.state(name)).toMatchObject({ ExitCode: 4, OOMKilled: true })
    await docker.remove(name)
  })

  it('docker rm refuses one that runs, --force ends it with its children', async () => {
    const name = await docker.detached([], sh('sleep 1000 & sleep 1000'))
    const pid = await docker.pid(name)
    expect((await docker.call(['rm', name])).stderr).toMatch(/container is running/)
    await docker.remove(name)
    expect(isAlive(pid)).toBe(false)
  })

  it('docker system prune takes what has ended, and nothing that runs', async () => {
    const runs = await docker.detached([], ['sleep', '1000'])
    const ended = await docker.detached([], ['true'])
    await docker.waitForStatus(ended, 'exited')
    await docker.ok(['system', 'prune', '--force'])
    expect((await docker.call(['inspect', ended])).exitCode).toBe(1)
    expect((await docker.exec(runs, ['true'])).exitCode).toBe(0)
    await docker.remove(runs)
  })
})

it('docker events tells of the life of a container', async () => {
  const since = String(Date.now() / 1000)
  const name = await docker.detached([], ['sleep', '1000'])
  await docker.exec(name, ['true'])
  await docker.ok(['pause', name])
  await docker.ok(['unpause', name])
  await docker.ok(['stop', '--time', '0', name])
  await docker.remove(name)
  const args = ['events', '--since', since, '--until', String(Date.now() / 1000), '--filter', `container=${name}`]
  const told = (await docker.ok([...args, '--format', '{{.Action}}'])).split('\n').map((line) => line.split(':')[0])
  const exec = ['exec_create', 'exec_start', 'exec_die']
  const expected = ['create', 'start', ...exec, 'pause', 'unpause', 'kill', 'die', 'stop', 'destroy']
  expect(told).toEqual(expect.arrayContaining(expected))
  expect(told.filter((action) => action === 'die')).toHaveLength(1)
})

it('a health check is run in the container', async () => {
  const flags = ['--health-cmd', 'test -e /healthy', '--health-interval', '0.3s', '--health-retries', '1']
  const name = await docker.detached(flags, ['sleep', '1000'])
  const health = (status: string): Promise<unknown> =>
    waitFor(async () => (await docker.state(name)).Health?.Status === status, { timeoutMs: 20_000, what: status })
  await health('unhealthy')
  await docker.exec(name, ['touch', '/healthy'])
  await health('healthy')
  await docker.remove(name)
})
