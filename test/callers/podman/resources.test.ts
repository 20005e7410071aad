/** Limits as podman asks for them, and its commands on containers that run. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isV1, readCgroup } from '../../support/cgroup-files.ts'
import { waitFor } from '../../support/wait-for.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const MiB = 1 << 20

async function running(flags: readonly string[], command = ['sleep', '1000']): Promise<{ name: string; pid: number }> {
  const name = await podman.detached(flags, command)
  return { name, pid: (await podman.state(name)).Pid }
}

const remove = (name: string): Promise<string> => podman.ok(['rm', '--force', '--time', '0', name])

describe('podman run', () => {
  it('--memory, --memory-swap and --memory-reservation', async () => {
    const { name, pid } = await running(['-m', '64m', '--memory-swap', '96m', '--memory-reservation', '32m'])
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${64 * MiB}`)
    const swap = isV1('memory') ? 96 * MiB : 32 * MiB
    expect(readCgroup(pid, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max')).toBe(`${swap}`)
    expect(readCgroup(pid, 'memory', 'memory.soft_limit_in_bytes', 'memory.low')).toBe(`${32 * MiB}`)
    await remove(name)
  })

  it('--cpus, --cpu-shares and --cpuset-cpus', async () => {
    const { name, pid } = await running(['--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '0'])
    expect(readCgroup(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000( 100000)?$/)
    expect(readCgroup(pid, 'cpu', 'cpu.shares', 'cpu.weight')).toBe(isV1('cpu') ? '512' : '20')
    expect(readCgroup(pid, 'cpuset', 'cpuset.cpus')).toBe('0')
    await remove(name)
  })

  it('--pids-limit', async () => {
    const { name, pid } = await running(['--pids-limit', '33'])
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('33')
    await remove(name)
  })

  it.each(['0', '-1'])('--pids-limit %s is no limit', async (limit) => {
    expect(await podman.output(['--pids-limit', limit], ['sh', '-c', 'sleep 0 & wait $! && echo forked'])).toBe(
      'forked',
    )
  })
})

describe('memory that ran out', () => {
  it('is seen by conmon', async () => {
    const name = podman.name()
    const cwd = podman.hostDirectory()
    // conmon looks at the counter when it hears of it: the container must still be there.
    const command = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M count=1; code=$?; sleep 1; exit $code']
    const run = ['run', '--name', name, '--network', 'none', '--cgroup-parent', podman.cgroupParent]
    const args = [...run, '-m', '24m', '--memory-swap', '24m', podman.image, ...command]
    expect((await podman.call(args, { cwd })).exitCode).toBe(137)
    expect(readdirSync(cwd)).toEqual(['oom'])
    await remove(name)
  })
})

describe('podman', () => {
  it('pause and unpause', async () => {
    const { name } = await running([])
    await podman.ok(['pause', name])
    expect((await podman.state(name)).Status).toBe('paused')
    expect((await podman.call(['exec', name, 'true'])).exitCode).not.toBe(0)
    await podman.ok(['unpause', name])
    expect(await podman.ok(['exec', name, 'echo', 'again'])).toBe('again')
    await podman.ok(['pause', name])
    await remove(name)
  })

  it('update', async () => {
    const { name, pid } = await running(['-m', '64m'])
    await podman.ok(['update', '--memory', '128m', '--cpus', '0.25', name])
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${128 * MiB}`)
    expect(readCgroup(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^25000( 100000)?$/)
    await podman.ok(['update', '--memory', '32m', name])
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${32 * MiB}`)
    await remove(name)
  })

  it('stats', async () => {
    const { name } = await running(['-m', '64m'], ['sh', '-c', 'sleep 1000 & sleep 1000'])
    await waitFor(async () => {
      const [stats] = JSON.parse(await podman.ok(['stats', '--no-stream', '--format', 'json', name])) as Record<
        string,
        string
      >[]
      return stats?.pids === '3' || stats?.pids === '2' ? stats : undefined
    })
    const text = await podman.ok(['stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', name])
    expect(text).toMatch(/ \/ 67\.11MB \d+$/)
    await remove(name)
  })

  it('top', async () => {
    const { name, pid } = await running([], ['sh', '-c', 'sleep 1001 & wait'])
    expect(await podman.ok(['top', name, 'hpid', 'args'])).toMatch(new RegExp(`^HPID +COMMAND\n${pid} +sh -c`))
    expect(await podman.ok(['top', name, 'args'])).toContain('sleep 1001')
    await remove(name)
  })
})
