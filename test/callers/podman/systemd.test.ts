/** podman's default on a host that systemd manages: --cgroup-manager systemd. */
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { readCgroup } from '../../support/cgroup-files.ts'
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

it('limits, pauses and updates a container, and systemd knows', async () => {
  const name = await podman.detached(['--memory', '64m', '--cpus', '0.5'], ['sleep', '1000'])
  const { Pid } = await podman.state(name)
  const unit = `libpod-${await podman.id(name)}.scope`
  const limits = async (): Promise<string[]> => [
    readCgroup(Pid, 'memory', 'memory.limit_in_bytes', 'memory.max'),
    ...(await execa('systemctl', ['show', unit, '--property', 'CPUQuotaPerSecUSec'])).stdout.split('\n'),
  ]
  expect(await limits()).toEqual([`${64 << 20}`, 'CPUQuotaPerSecUSec=500ms'])
  await podman.ok(['pause', name])
  expect((await podman.state(name)).Status).toBe('paused')
  await podman.ok(['update', '--memory', '96m', '--cpus', '0.25', name])
  await podman.ok(['unpause', name])
  await execa('systemctl', ['daemon-reload'])
  expect(await limits()).toEqual([`${96 << 20}`, 'CPUQuotaPerSecUSec=250ms'])
  expect(await podman.ok(['exec', name, 'echo', 'again'])).toBe('again')
  await podman.ok(['rm', '--force', '--time', '0', name])
})

describe('on a kernel with AppArmor', () => {
  requires('apparmor')

  it("confines a container by podman's profile", async () => {
    const label = await podman.output([], ['cat', '/proc/self/attr/current'])
    expect(label).toMatch(/^containers-default-\S+ \(enforce\)$/)
  })
})

it('gives the exit code of a container in the foreground', async () => {
  expect(await podman.run([], ['sh', '-c', 'exit 7'])).toMatchObject({ exitCode: 7, stderr: '' })
})
