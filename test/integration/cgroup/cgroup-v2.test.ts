/** What only a host with nothing but cgroup v2 can show. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'cgroup-v2-only')
const t = useContainers()

const place = (pid: number): string => cgroupsOf(pid)[''] ?? ''

function isDivided(pid: number): boolean {
  return readFileSync(join('/sys/fs/cgroup', place(pid), '../cgroup.subtree_control'), 'utf8').trim() !== ''
}

function writableCgroup(spec: Spec): void {
  setNamespace(spec, 'cgroup')
  for (const mount of spec.mounts)
    if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro')
}

/** What systemd does first: it moves into a cgroup of its own and hands the controllers down. */
const divide =
  'cd /sys/fs/cgroup && mkdir init.scope && echo 1 >init.scope/cgroup.procs && echo +pids >cgroup.subtree_control'

describe('a container that divides its cgroup', () => {
  it('takes an exec where its init is', async () => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', `${divide} && exec sleep 1000`],
      spec: writableCgroup,
    })
    await waitFor(() => place(pid).endsWith('/init.scope') && isDivided(pid))
    const { stdout } = await t.ok(['exec', id, 'cat', '/proc/self/cgroup'])
    expect(stdout).toBe('0::/init.scope\n')
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '1000'])
    expect(place(Number(readFileSync(pidFile, 'utf8')))).toBe(place(pid))
  })

  it('is deleted with all of it', async () => {
    const { id, pid } = await t.running({
      args: ['sh', '-c', `${divide} && mkdir -p a/b && exec sleep 1000`],
      spec: writableCgroup,
    })
    await waitFor(() => place(pid).endsWith('/init.scope') && isDivided(pid))
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })
})

describe('controllers', () => {
  it('all that the host has are there for whoever measures the container', async () => {
    const { pid } = await t.running()
    const controllers = (directory: string) => readFileSync(join(directory, 'cgroup.controllers'), 'utf8')
    expect(controllers(join('/sys/fs/cgroup', place(pid)))).toBe(controllers('/sys/fs/cgroup'))
  })
})
