/** Parts of containerd that die while a container runs. */
import { describe, expect, it } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'
import { useContainerd } from '../support/containerd.ts'

const containerd = useContainerd()

describe.each(['SIGTERM', 'SIGKILL'] as const)('containerd ended by %s and started again', (signal) => {
  it('has the tasks that went on, and their exit codes', async () => {
    const id = await containerd.detached([], ['sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done'])
    const short = await containerd.detached([], ['sh', '-c', 'sleep 1; exit 4'])
    const [pid, shortPid] = [await containerd.pid(id), await containerd.pid(short)]
    await containerd.stopDaemon(signal)
    expect(isAlive(pid)).toBe(true)
    await waitFor(() => !isAlive(shortPid))
    await containerd.startDaemon()
    expect(await containerd.task(id)).toEqual({ pid, status: 'RUNNING' })
    expect((await containerd.exec(id, ['sh', '-c', 'exit 5'])).exitCode).toBe(5)
    // From 1.7 on it forgets a task that has ended while it was away, under runc as well.
    if (containerd.version < '1.7') expect(await containerd.exitCode(short)).toBe(4)
    else expect(await containerd.task(short)).toBe(undefined)
    await containerd.ok(['task', 'kill', id])
    expect(await containerd.exitCode(id)).toBe(7)
    await containerd.remove(id)
    await containerd.remove(short)
    await containerd.expectNothingLeft(id, short)
  })
})

it('a shim that is killed: containerd has the runtime delete the container', async () => {
  const id = await containerd.detached([], ['sh', '-c', 'sleep 1000 & sleep 1000'])
  const pid = await containerd.pid(id)
  process.kill(containerd.shim(id), 'SIGKILL')
  await waitFor(() => !isAlive(pid))
  await containerd.waitForStatus(id, undefined)
  await containerd.ok(['container', 'delete', id])
  await containerd.expectNothingLeft(id)
})
