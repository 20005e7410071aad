import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts, cgroupsOf, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()

describe('exec --cgroup', () => {
  /** Makes `sub` below the container's cgroup in one hierarchy; gives its path as /proc/PID/cgroup shows it. */
  function subCgroup(pid: number, hierarchy: string, sub: string): string {
    const path = `${cgroupsOf(pid)[hierarchy]}/${sub}`
    const mount = cgroupMounts()[hierarchy] ?? ''
    // The test may itself run in a cgroup that is the root of a mount.
    const directory = join(mount, path)
    mkdirSync(directory)
    if (hierarchy === 'cpuset')
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        writeFileSync(join(directory, file), readFileSync(join(directory, '..', file)))
    t.defer(() => rmdirSync(directory))
    return path
  }

  async function cgroupsIn(id: string, ...flags: string[]): Promise<Record<string, string>> {
    const pidFile = join(t.hostDirectory(), 'pid')
    await t.ok(['exec', '--detach', '--pid-file', pidFile, ...flags, id, 'sleep', '1000'])
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const cgroups = cgroupsOf(pid)
    process.kill(pid, 'SIGKILL')
    await waitFor(() => !isAlive(pid))
    return cgroups
  }

  describe('with controllers of v1', () => {
    requires('cgroup-v1-pids')

    it('CONTROLLER:PATH is for that hierarchy alone', async () => {
      const { id, pid } = await t.running()
      const path = subCgroup(pid, 'pids', 'sub')
      expect(await cgroupsIn(id, '--cgroup', 'pids:sub')).toEqual({ ...cgroupsOf(pid), pids: path })
    })

    it('CONTROLLER,CONTROLLER:PATH and several options are for each of theirs', async () => {
      const { id, pid } = await t.running()
      const [pids, freezer, devices] = [
        subCgroup(pid, 'pids', 'a'),
        subCgroup(pid, 'freezer', 'a'),
        subCgroup(pid, 'devices', 'b'),
      ]
      expect(await cgroupsIn(id, '--cgroup', 'pids,freezer:a', '--cgroup', 'devices:/b/')).toEqual({
        ...cgroupsOf(pid),
        pids,
        freezer,
        devices,
      })
    })
  })

  it('PATH is for all hierarchies', async () => {
    const { id, pid } = await t.running()
    const mounted = Object.keys(cgroupMounts()).filter((name) => cgroupsOf(pid)[name] !== undefined)
    for (const name of mounted) subCgroup(pid, name, 'everywhere')
    const own = cgroupsOf(pid)
    const expected = Object.fromEntries(mounted.map((name) => [name, `${own[name]}/everywhere`]))
    expect(await cgroupsIn(id, '--cgroup', 'everywhere')).toMatchObject(expected)
  })

  it.each([
    [['no-such-cgroup'], / adding pid .*no-such-cgroup.*no such file or directory/],
    [['../..'], /\.\.\/\.\. is not a sub cgroup path/],
    [['pids:../..'], /\.\.\/\.\. is not a sub cgroup path/],
    [['no-such-controller:sub'], /unknown controller "?no-such-controller/],
    [[':sub'], /sub/],
    [['pids:a', 'pids:b'], /pids/],
    [['a', 'pids:b'], /CONTROLLER|controller/],
  ])('%j is refused, and nothing runs', async (cgroups, text) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', ...cgroups.flatMap((each) => ['--cgroup', each]), id, 'echo', 'ran'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(text)
  })
})
