import { expect, it } from 'vitest'
import { cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { usePodman } from '../support/podman.ts'

// runc has no word for it, so podman does not ask it.
requires('root', 'own-runtime')
const podman = usePodman()

it("--cgroups=disabled leaves a container in conmon's cgroup", async () => {
  const name = await podman.detached(['--cgroups', 'disabled'], ['sleep', '1000'])
  const id = await podman.id(name)
  const { Pid, ConmonPid } = await podman.state(name)
  expect(cgroupsOf(Pid)).toEqual(cgroupsOf(ConmonPid))
  expect(await podman.ok(['exec', name, 'echo', 'inside'])).toBe('inside')
  await podman.ok(['stop', '--time', '0', name])
  expect(await podman.state(name)).toMatchObject({ Status: 'exited', ExitCode: 137 })
  await podman.ok(['rm', name])
  await podman.expectNothingLeft(id)
})
