/** A container that outlives the podman command that made it: state, logs, attach, signals, stop, start, rm. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, processStat } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { call, killError, quiet } from '../support/contract.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

/** A shell as process 1 that says `ready`, then runs `traps` until it ends. */
const trapping = (traps: string): string[] => ['sh', '-c', `${traps}; echo ready; while :; do sleep 0.05; done`]

async function ready(command: string[], flags: string[] = []): Promise<string> {
  const name = await podman.detached(flags, command)
  await podman.waitForLog(name, 'ready')
  return name
}

const remove = (name: string): Promise<string> => podman.ok(['rm', '--force', '--time', '0', name])

describe('a running container', () => {
  it("has process 1 of the container as its pid, which is conmon's child", async () => {
    const name = await podman.detached([], ['sleep', '1234'])
    const { Pid, ConmonPid, Status } = await podman.state(name)
    expect(Status).toBe('running')
    expect(readFileSync(`/proc/${Pid}/cmdline`, 'utf8')).toBe('sleep\x001234\0')
    expect(readFileSync(`/proc/${Pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
    expect(processStat(Pid)?.ppid).toBe(ConmonPid)
    expect(await podman.ok(['ps', '--filter', `name=^${name}$`, '--format', '{{.Pid}} {{.Status}}'])).toMatch(
      new RegExp(`^${Pid} Up `),
    )
    expect(await podman.ok(['top', name, 'pid', 'hpid', 'args'])).toMatch(new RegExp(`^1 +${Pid} +sleep 1234`, 'm'))
    await remove(name)
  })

  it('takes files with podman cp and gives them back', async () => {
    const name = await podman.detached([], ['sleep', '1000'])
    const directory = podman.hostDirectory()
    writeFileSync(join(directory, 'in'), 'copied')
    await podman.ok(['cp', join(directory, 'in'), `${name}:/tmp/in`])
    expect(await podman.ok(['exec', name, 'cat', '/tmp/in'])).toBe('copied')
    await podman.ok(['cp', `${name}:/tmp/in`, join(directory, 'out')])
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('copied')
    await remove(name)
  })

  it('keeps stdout and stderr apart in its log', async () => {
    const name = await podman.detached([], ['sh', '-c', 'echo one; echo two >&2; echo three'])
    await podman.ok(['wait', name])
    expect(await podman.call(['logs', name])).toMatchObject({ stdout: 'one\nthree', stderr: 'two' })
    await remove(name)
  })

  it('can be attached to', async () => {
    const name = await podman.detached(['-it'], ['sh'])
    const session = podman.onTerminal(['attach', name])
    session.type('echo $((40 + 2))\r')
    await session.shows('\n42\r\n')
    session.type('exit 3\r')
    expect(await session.exitCode).toBe(0)
    expect((await podman.state(name)).ExitCode).toBe(3)
    await remove(name)
  })
})

describe('podman kill', () => {
  it.each(['USR1', 'HUP', 'SIGWINCH', '12'])('sends %s', async (signal) => {
    const traps = { USR1: 'USR1', HUP: 'HUP', SIGWINCH: 'WINCH', '12': 'USR2' }[signal]
    const name = await ready(trapping(`trap "echo got ${traps}" ${traps}`))
    await podman.ok(['kill', '--signal', signal, name])
    await podman.waitForLog(name, `got ${traps}`)
    expect((await podman.state(name)).Status).toBe('running')
    await remove(name)
  })

  it('fails on a container that has stopped', async () => {
    const name = await podman.detached([], ['true'])
    await podman.ok(['wait', name])
    const result = await podman.call(['kill', name])
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).toContain('can only kill running containers')
    await remove(name)
  })
})

describe('podman stop', () => {
  it('lets the process end itself on SIGTERM', async () => {
    const name = await ready(trapping('trap "exit 9" TERM'))
    await podman.ok(['stop', '--time', '20', name])
    expect(await podman.state(name)).toMatchObject({ Status: 'exited', ExitCode: 9, Pid: 0 })
    await remove(name)
  })

  it('sends SIGKILL to one that does not after the time', async () => {
    const name = await ready(trapping('trap "" TERM'))
    const { Pid } = await podman.state(name)
    await podman.ok(['stop', '--time', '1', name])
    expect(await podman.state(name)).toMatchObject({ Status: 'exited', ExitCode: 137 })
    expect(isAlive(Pid)).toBe(false)
    await remove(name)
  })

  it("honours the container's own stop signal", async () => {
    const name = await ready(trapping('trap "exit 8" USR2'), ['--stop-signal', 'USR2'])
    await podman.ok(['stop', '--time', '20', name])
    expect((await podman.state(name)).ExitCode).toBe(8)
    await remove(name)
  })
})

describe('a conmon that is stopped, and so leaves the dead container a zombie', () => {
  it('the container has stopped, and has no process', async () => {
    const name = await podman.detached([], ['sleep', '1000'])
    const id = await podman.id(name)
    const { Pid, ConmonPid } = await podman.state(name)
    process.kill(ConmonPid, 'SIGSTOP')
    await quiet(['kill', id, 'KILL'])
    await waitFor(() => processStat(Pid)?.state === 'Z')
    expect(JSON.parse((await quiet(['state', id])).stdout)).toMatchObject({ status: 'stopped' })
    expect(JSON.parse((await quiet(['ps', '--format', 'json', id])).stdout) ?? []).toEqual([])
    expect(killError((await call(['kill', id, 'KILL'])).stderr)).toBe('not found')
    await quiet(['kill', '--all', id, 'KILL'])
    process.kill(ConmonPid, 'SIGCONT')
    expect(await podman.ok(['wait', name])).toBe('137')
    await remove(name)
    await podman.expectNothingLeft(id)
  })
})

describe('after the end', () => {
  it('podman wait gives the exit code', async () => {
    const name = await podman.detached([], ['sh', '-c', 'exit 7'])
    expect(await podman.ok(['wait', name])).toBe('7')
    await remove(name)
  })

  it('podman start runs the same container again, with the files that it wrote', async () => {
    const name = await podman.detached([], ['sh', '-c', 'echo run >> /runs; cat /runs; sleep 1000'])
    await podman.waitForLog(name, 'run')
    const first = (await podman.state(name)).Pid
    await podman.ok(['stop', '--time', '0', name])
    await podman.ok(['start', name])
    await podman.waitForLog(name, 'run\nrun\nrun')
    const second = await podman.state(name)
    expect(second).toMatchObject({ Running: true })
    expect(second.Pid).not.toBe(first)
    await remove(name)
  })

  it('--restart on-failure starts it again', async () => {
    const directory = podman.hostDirectory()
    const flags = ['--restart', 'on-failure:2', '--volume', `${directory}:/host`]
    const name = await podman.detached(flags, ['sh', '-c', 'echo run >> /host/runs; exit 1'])
    const runs = join(directory, 'runs')
    await waitFor(() => existsSync(runs) && readFileSync(runs, 'utf8') === 'run\nrun\nrun\n')
    await waitFor(async () => (await podman.state(name)).Status === 'exited')
    await remove(name)
  })

  it('--rm leaves no trace', async () => {
    const name = podman.name()
    const id = await podman.ok(podman.runArguments(['--detach', '--rm', '--name', name], ['sleep', '0.2']))
    await podman.ok(['wait', '--condition', 'removing', name]).catch(() => {})
    await waitFor(async () => (await podman.call(['container', 'exists', name])).exitCode === 1)
    await podman.expectNothingLeft(id)
  })

  it('rm --force of a running container leaves no trace', async () => {
    const name = await podman.detached([], ['sh', '-c', 'sleep 1000 & sleep 1000'])
    const [id, { Pid }] = [await podman.id(name), await podman.state(name)]
    expect(isAlive(Pid)).toBe(true)
    await remove(name)
    expect(isAlive(Pid)).toBe(false)
    await podman.expectNothingLeft(id)
  })

  it('rm of a container that was created and never started leaves no trace', async () => {
    const name = podman.name()
    const [, ...flags] = podman.runArguments(['--name', name], ['true'])
    const id = await podman.ok(['create', ...flags])
    await podman.ok(['init', name])
    expect((await podman.state(name)).Status).toBe('initialized')
    await podman.ok(['rm', name])
    await podman.expectNothingLeft(id)
  })

  it('a create that fails leaves no trace', async () => {
    const name = podman.name()
    const result = await podman.call(podman.runArguments(['--name', name], ['/bin/no-such-program']))
    expect(result.exitCode).toBe(127)
    const id = await podman.id(name)
    await podman.ok(['rm', name])
    await podman.expectNothingLeft(id)
  })
})
