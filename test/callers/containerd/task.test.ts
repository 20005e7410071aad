/** ctr's commands on a task that runs: exec, pause, metrics, events, kill, delete. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isV1 } from '../../support/cgroup-files.ts'
import { cgroupsOf, isAlive, namespaceOf } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useContainerd } from '../support/containerd.ts'

const containerd = useContainerd()
const MiB = 1 << 20
let id = ''
let pid = 0

beforeAll(async () => {
  id = await containerd.detached(['--env', 'OF=container'], ['sleep', '1000'])
  pid = await containerd.pid(id)
})

describe('ctr task exec', () => {
  it('hands on stdin, stdout, stderr and the exit code', async () => {
    const command = ['sh', '-c', 'cat; echo err >&2; exit 7']
    const result = await containerd.call(['task', 'exec', '--exec-id', containerd.id(), id, ...command], {
      input: 'in',
    })
    expect(result).toMatchObject({ exitCode: 7, stdout: 'in', stderr: 'err' })
  })

  it.each([
    ['KILL', 137],
    ['SEGV', 139],
  ])('of a process that dies of SIG%s exits %i', async (signal, code) => {
    expect((await containerd.exec(id, ['sh', '-c', `kill -${signal} $$`])).exitCode).toBe(code)
  })

  it('--user and --cwd, with the environment, the namespaces and the cgroup of the container', async () => {
    const command = ['sh', '-c', 'id -un; pwd; echo $OF; readlink /proc/self/ns/mnt; cat /proc/self/cgroup']
    const { stdout } = await containerd.exec(id, command, ['--user', 'user', '--cwd', '/tmp'])
    const [user, cwd, of, mnt, ...cgroups] = stdout.split('\n')
    expect([user, cwd, of, mnt]).toEqual(['user', '/tmp', 'container', namespaceOf(pid, 'mnt')])
    expect(cgroups.map((line) => line.split(':').slice(1))).toEqual(Object.entries(cgroupsOf(pid)))
  })

  it.each([
    ['is missing', '/bin/no-such-program', /"\/bin\/no-such-program": stat .*: no such file or directory/],
    ['is nowhere in PATH', 'no-such-program', /"no-such-program": executable file not found in \$PATH/],
  ])('names a program that %s', async (_, program, message) => {
    expect(await containerd.exec(id, [program])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(message),
    })
  })

  it('--tty gives a terminal of the container', async () => {
    const args = ['task', 'exec', '--tty', '--exec-id', containerd.id(), id, 'sh']
    const session = containerd.onTerminal(args, { rows: 22, columns: 66 })
    session.type('tty; until stty size | grep "22 66"; do sleep 0.05; done\r')
    await session.shows(/\n\/dev\/pts\/\d+\r+\n/)
    await session.shows(/\n22 66\r+\n/)
    // Said by the process itself: between two of them ^C is nobody's.
    session.type("sh -c 'echo $((40 + 2)); exec sleep 1000'\r")
    await session.shows(/\n42\r+\n/)
    session.type('\x03')
    session.type('exit 6\r')
    expect(await session.exitCode).toBe(6)
  })

  it('--detach goes on by itself; ps shows it; kill --exec-id ends it', async () => {
    const execId = containerd.id()
    await containerd.ok(['task', 'exec', '--detach', '--exec-id', execId, id, 'sleep', '4321'])
    const line = (await containerd.ok(['task', 'ps', id])).split('\n').find((line) => line.includes(execId)) ?? ''
    const process = Number(line.split(/\s+/)[0])
    expect(namespaceOf(process, 'pid')).toBe(namespaceOf(pid, 'pid'))
    await containerd.ok(['task', 'kill', '--exec-id', execId, '--signal', 'KILL', id])
    await waitFor(() => !isAlive(process))
    expect((await containerd.call(['task', 'delete', '--exec-id', execId, id])).exitCode).toBe(137)
  })

  it('five at once', async () => {
    const codes = [10, 11, 12, 13, 14]
    const ended = await Promise.all(codes.map((code) => containerd.exec(id, ['sh', '-c', `exit ${code}`])))
    expect(ended.map(({ exitCode }) => exitCode)).toEqual(codes)
  })
})

it('ctr task attach takes up the output of the container', async () => {
  const other = containerd.id()
  const run = containerd.onTerminal(containerd.runArguments(['--detach', '--tty'], other, ['sh']))
  expect(await run.exitCode, run.screen()).toBe(0)
  const session = containerd.onTerminal(['task', 'attach', other])
  session.type('echo $((40 + 2)); exit 4\r')
  await session.shows(/\n42\r+\n/)
  expect(await session.exitCode).toBe(4)
  await containerd.remove(other)
})

it('ctr task pause and resume', async () => {
  await containerd.ok(['task', 'pause', id])
  expect((await containerd.task(id))?.status).toBe('PAUSED')
  expect((await containerd.exec(id, ['true'])).exitCode).toBe(1)
  await containerd.ok(['task', 'resume', id])
  expect((await containerd.task(id))?.status).toBe('RUNNING')
  expect((await containerd.exec(id, ['true'])).exitCode).toBe(0)
})

it('ctr task checkpoint is refused, and the task goes on', async () => {
  const result = await containerd.call(['task', 'checkpoint', id])
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/criu|checkpoint/i) })
  expect(await containerd.task(id)).toEqual({ pid, status: 'RUNNING' })
})

it('ctr task metrics are those of the cgroup that /proc/PID/cgroup names', async () => {
  const flags = ['--memory-limit', `${64 * MiB}`, '--cpus', '0.5', '--cpu-shares', '512']
  const limited = await containerd.detached(flags, ['sh', '-c', 'sleep 1000 & sleep 1000'])
  type Metrics = { pids: { current: number }; memory: { usage: { limit: number }; usage_limit: number } }
  const metrics = await waitFor(async () => {
    const metrics = JSON.parse(await containerd.ok(['task', 'metrics', '--format', 'json', limited])) as Metrics
    return metrics.pids.current === 2 && metrics
  })
  const { memory } = metrics
  expect(isV1('memory') ? memory.usage.limit : memory.usage_limit).toBe(64 * MiB)
  await containerd.remove(limited)
})

describe('ctr events', () => {
  const events = containerd.events
  beforeAll(() => events.start())
  afterAll(() => events.stop())

  it('tells of create, start, exec, pause, exit and delete', async () => {
    const other = await containerd.detached([], ['sleep', '1000'])
    await containerd.exec(other, ['true'])
    await containerd.ok(['task', 'pause', other])
    await containerd.ok(['task', 'resume', other])
    await containerd.ok(['task', 'kill', '--signal', 'KILL', other])
    expect(await containerd.exitCode(other)).toBe(137)
    const expected = ['create', 'start', 'exec-added', 'exec-started', 'exit', 'paused', 'resumed', 'exit', 'delete']
    await waitFor(() => events.topics(other).at(-1) === '/tasks/delete')
    expect(events.topics(other)).toEqual(expected.map((topic) => `/tasks/${topic}`))
    await containerd.remove(other)
  })

  it('tells that memory ran out', async () => {
    const hungry = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1; exit 3']
    const other = await containerd.detached(['--memory-limit', `${24 * MiB}`], hungry)
    expect(await containerd.exitCode(other)).toBe(3)
    expect(events.topics(other)).toContain('/tasks/oom')
    await containerd.remove(other)
  })
})

describe('ctr task kill and delete', () => {
  it('a signal that the process handles', async () => {
    const script = 'trap "echo got HUP" HUP; trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'
    const other = await containerd.detached([], ['sh', '-c', script])
    await containerd.waitForLog(other, 'ready')
    await containerd.ok(['task', 'kill', '--signal', 'HUP', other])
    await containerd.waitForLog(other, 'got HUP')
    await containerd.ok(['task', 'kill', other])
    await containerd.waitForStatus(other, 'STOPPED')
    const again = await containerd.call(['task', 'kill', other])
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('not found') })
    expect(await containerd.exitCode(other)).toBe(9)
    await containerd.remove(other)
  })

  it('delete refuses a task that runs; --force ends it, with its children, and leaves no trace', async () => {
    const other = await containerd.detached([], ['sh', '-c', 'sleep 1000 & sleep 1000'])
    const process = await containerd.pid(other)
    expect((await containerd.call(['task', 'delete', other])).exitCode).toBe(1)
    expect(isAlive(process)).toBe(true)
    expect(await containerd.deleted(['--force', other])).toBe(137)
    expect(isAlive(process)).toBe(false)
    await containerd.ok(['container', 'delete', other])
    await containerd.expectNothingLeft(other)
  })
})
