/** podman's default on a host that systemd manages: --cgroup-manager systemd. */
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { cgroupsOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { usePodman } from '../support/podman.ts'

requires('root', 'systemd')
const podman = usePodman('systemd')

it('runs containers in scopes of its slice, with their limits', async () => {
  const name = await podman.detached(['--pids-limit', '40'], ['sleep', '1000'])
  const id = await podman.id(name)
  const { Pid } = await podman.state(name)
  const unit = `libpod-${id}.scope`
  expect(cgroupsOf(Pid)['']).toBe(`/${podman.cgroupParent}/${unit}`)
  const { stdout } = await execa('systemctl', ['show', unit, '--property', 'TasksMax,Slice,Delegate'])
  expect(stdout.split('\n').sort()).toEqual(['Delegate=yes', `Slice=${podman.cgroupParent}`, 'TasksMax=40'])
  expect(await podman.ok(['exec', name, 'echo', 'inside'])).toBe('inside')
  expect(await podman.ok(['stats', '--no-stream', '--format', '{{.PIDs}}', name])).toBe('1')
  await podman.ok(['rm', '--force', '--time', '0', name])
  expect((await execa('systemctl', ['show', unit, '--property', 'LoadState'])).stdout).toBe('LoadState=not-found')
  await podman.expectNothingLeft(id)
})

it('gives the exit code of a container in the foreground', async () => {
  expect(await podman.run([], ['sh', '-c', 'exit 7'])).toMatchObject({ exitCode: 7, stderr: '' })
})
