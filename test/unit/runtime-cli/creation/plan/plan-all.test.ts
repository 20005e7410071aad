import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { printPlan } from '@crio-lxc/core/plan/print'
import { describe, expect, test } from 'vitest'
import { inheritedFds } from '../../../../../packages/runtime-cli/src/creation/plan/inputs.ts'
import { type AllInputs, planAll } from '../../../../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import { creationInputs } from '../../../../support/creation-inputs.ts'

const layout: CgroupLayout = {
  mode: 'v2',
  hierarchies: [{ name: 'unified', mountPoint: '/sys/fs/cgroup', version: 2, controllers: ['pids', 'memory'] }],
}

function inputs(change: Partial<Spec> = {}): AllInputs {
  return creationInputs({ ...defaultSpec, process: { ...defaultSpec.process, terminal: false }, ...change }, layout)
}

const words = (plan: Parameters<typeof printPlan>[0]): string[] => printPlan(plan).map(({ what }) => what)

describe('planAll', () => {
  test('has all that create does, from data alone', () => {
    const plans = planAll(inputs({ linux: { ...defaultSpec.linux, resources: { pids: { limit: 7 } } } }))
    expect(plans.lxcConfig).toContain('lxc.init.cmd = /init 7\n')
    expect(words(plans.launch).at(-1)).toBe('execute x')
    expect(words(plans.wait).at(-1)).toBe('run the plan')
    expect(words(plans.container)).toEqual(
      expect.arrayContaining(['make the rootfs the root', 'wait for start', 'wait for create']),
    )
    expect(plans.resources.writes.map(({ file, value }) => `${file} <- ${value}`)).toEqual(['pids.max <- 7'])
    expect(plans.unit).toBeUndefined()
  })

  test('masks each of linux.maskedPaths once, after the hooks of create', () => {
    const maskedPaths = ['/proc/kcore', '/sys/firmware']
    const steps = words(planAll(inputs({ linux: { ...defaultSpec.linux, maskedPaths } })).container)
    for (const path of maskedPaths) {
      const at = steps.findIndex((what) => what.includes(path))
      expect(at).toBeGreaterThan(steps.indexOf('wait for create'))
      expect(at).toBeLessThan(steps.indexOf('make the rootfs the root'))
    }
  })

  test('moves network devices beside init when that is in a user namespace', () => {
    const uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    const ids = { uidMappings, gidMappings: uidMappings, netDevices: { eth0: { name: 'eth1' } } }
    const namespaces = [{ type: 'mount' as const }, { type: 'network' as const }]
    const fetched = planAll(inputs({ linux: { namespaces, netDevices: ids.netDevices } }))
    const moved = planAll(inputs({ linux: { namespaces: [...namespaces, { type: 'user' }], ...ids } }))
    expect(fetched.netDevices).toBeUndefined()
    expect(words(fetched.container).some((what) => what.includes('eth0'))).toBe(true)
    expect(moved.netDevices && words(moved.netDevices).some((what) => what.includes('eth0'))).toBe(true)
    expect(words(moved.container).some((what) => what.includes('eth0'))).toBe(false)
  })

  test('is the unit of systemd when that makes the cgroup', () => {
    const scope = { unit: 'a.scope', slice: 'system.slice', path: '/system.slice/a.scope' }
    const annotations = { 'org.systemd.property.TimeoutStopSec': '5' }
    const { unit } = planAll({ ...inputs({ annotations }), scope })
    expect(unit?.annotated.map(([name]) => name)).toEqual(['TimeoutStopUSec'])
  })
})

test('inheritedFds() names each descriptor once', () => {
  const given = inputs({ mounts: [{ destination: '/a', type: 'bind', source: '/b' }] })
  const fds = inheritedFds(given)
  expect(new Set(fds).size).toBe(fds.length)
  expect(fds).toEqual(expect.arrayContaining([given.sources.rootfs, 1000, given.gate?.go]))
})
