/** The device program of cgroup v2 in the real kernel: on a hybrid host containers use the v1 controller instead. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmdirSync } from 'node:fs'
import { applyDevicePlan } from '@crio-lxc/core/host/cgroup/device-filter'
import type { Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { type DevicePlan, planDevices } from '@crio-lxc/core/host/cgroup/plan/device-plan'
import { encodeInstructions, planDeviceProgram } from '@crio-lxc/core/host/cgroup/plan/device-program'
import type { DeviceRule } from '@crio-lxc/core/oci/resources'
import { addDeviceProgram, loadDeviceProgram, queryPrograms, setDeviceProgram } from '@crio-lxc/core/sys/bpf'
import { beforeEach, describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime', 'cgroup-v2', 'cgroup-bpf')
const t = useContainers()

const hierarchy: Hierarchy = { name: 'unified', mountPoint: cgroupMounts()[''] ?? '', version: 2, controllers: [] }
const denyAll: DeviceRule = { allow: false, access: 'rwm' }
const allowAll: DeviceRule = { allow: true, access: 'rwm' }

let path = ''
let directory = ''

beforeEach(() => {
  path = `/${t.id()}`
  directory = hierarchy.mountPoint + path
  mkdirSync(directory)
  t.defer(() => rmdirSync(directory))
})

function restrict(...devices: DeviceRule[]): void {
  const plan = planDevices({ devices }, { mode: 'v2', hierarchies: [hierarchy] })
  applyDevicePlan(path, plan as DevicePlan)
}

/** A command of a process in the cgroup: its exit status and what it says. */
function inside(command: string): { status: number | null; stderr: string } {
  const script = `echo 0 >${directory}/cgroup.procs && ${command}`
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', cwd: t.directory })
  return { status, stderr }
}

const refused = { status: 1, stderr: expect.stringMatching(/Operation not permitted/) }
const granted = { status: 0, stderr: '' }

/** What the kernel says of the programs of the cgroup. */
function programs(): number[] {
  const fd = openSync(directory, 'r')
  try {
    return queryPrograms(fd)
  } finally {
    closeSync(fd)
  }
}

describe('a device program', () => {
  it('grants what every container has, and refuses the rest', () => {
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
    restrict(denyAll)
    for (const device of ['null', 'zero', 'full', 'random', 'urandom', 'ptmx'])
      expect(inside(`head -c 0 /dev/${device}`), device).toEqual(granted)
    expect(inside('echo >/dev/null')).toEqual(granted)
    expect(inside('head -c 0 /dev/kmsg')).toEqual(refused)
    expect(inside('mknod node c 1 11 && rm node')).toEqual(granted)
  })

  it('tells reading from writing', () => {
    restrict(denyAll, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' })
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
    expect(inside('dd if=/dev/null of=/dev/kmsg status=none')).toEqual(refused)
  })

  it('refuses mknod where a rule does', () => {
    restrict(allowAll, { allow: false, type: 'c', major: 10, minor: 229 })
    expect(inside('mknod node c 10 229')).toEqual(refused)
    expect(inside('mknod node c 10 228 && rm node && mknod node b 10 229 && rm node')).toEqual(granted)
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
  })

  it('is accepted by the verifier with a thousand rules, and the last of them holds', () => {
    const rules = Array.from(
      { length: 1000 },
      (_, minor): DeviceRule => ({ allow: true, type: 'c', major: 300, minor }),
    )
    restrict(denyAll, ...rules, { allow: true, type: 'c', major: 1, minor: 11, access: 'rw' })
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
    expect(inside('mknod node c 1 1 && head -c 0 node; status=$?; rm node; exit $status')).toEqual(refused)
  })

  it('is replaced by the next one', () => {
    restrict(denyAll)
    const [first] = programs()
    restrict(allowAll)
    expect(programs()).toHaveLength(1)
    expect(programs()).not.toContain(first)
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
  })

  it('takes the place of several', () => {
    restrict(denyAll)
    const fd = openSync(directory, 'r')
    const other = loadDeviceProgram(encodeInstructions(planDeviceProgram({ allow: false, exceptions: [] })))
    try {
      addDeviceProgram(fd, other)
    } finally {
      closeSync(other)
      closeSync(fd)
    }
    expect(programs()).toHaveLength(2)
    expect(inside('head -c 0 /dev/null')).toEqual(refused)
    restrict(allowAll)
    expect(programs()).toHaveLength(1)
    expect(inside('head -c 0 /dev/kmsg')).toEqual(granted)
  })
})

describe('an error', () => {
  it('has the last words of the verifier', () => {
    const fd = openSync(directory, 'r')
    try {
      const exit = new Uint8Array([0x95, 0, 0, 0, 0, 0, 0, 0])
      expect(() => setDeviceProgram(fd, exit)).toThrow(
        'bpf(BPF_PROG_LOAD, 8 bytes): verifier: R0 !read_ok: permission denied',
      )
      expect(queryPrograms(fd)).toEqual([])
    } finally {
      closeSync(fd)
    }
  })

  it('names the field, the directory and what it takes', () => {
    const plan = { hierarchy: { ...hierarchy, mountPoint: t.directory }, policy: { allow: false, exceptions: [] } }
    expect(() => applyDevicePlan('', plan)).toThrow(
      `linux.resources.devices: restrict the devices of ${t.directory}: bpf(BPF_PROG_QUERY): bad file descriptor: it takes CAP_SYS_ADMIN and a kernel with CONFIG_CGROUP_BPF`,
    )
  })
})
