import { x64 } from '@crio-lxc/core/abi/arch'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { printPlan } from '@crio-lxc/core/plan/print'
import { planExec } from '@crio-lxc/init/exec-plan'
import { expect, test } from 'vitest'

const fds = {
  report: 8,
  console: undefined,
  acknowledge: undefined,
  preserved: [],
}

const entry = {
  namespaces: [{ type: 'uts', flag: 1, fd: 10 }],
  cgroup: { tasks: [], unified: undefined },
  newKeyring: true,
} as const

function calls(labels: { apparmorProfile?: string; selinuxLabel?: string }): string[] {
  const process = {
    process: { ...defaultSpec.process, ...labels },
    environment: [],
    candidates: ['/bin/true'],
    seccomp: undefined,
    personality: undefined,
    memoryPolicy: undefined,
    capabilities: true,
  }
  return printPlan(planExec({ arch: x64, process, entry, fds })).map(({ call }) => call)
}

test('a label is written through the procfs of the host, opened before the container is entered', () => {
  const plan = calls({ apparmorProfile: 'crio-default', selinuxLabel: 'a_u:b_r:c_t:s0' })
  const opened = plan.findIndex((call) => call.startsWith('openat(AT_FDCWD, "/proc", '))
  expect(opened).toBeGreaterThan(0)
  expect(opened).toBeLessThan(plan.findIndex((call) => call.startsWith('setns(')))
  const how = '{flags=02000001, resolve=0xb}'
  const first = plan.indexOf(`openat2(<procfs>, "self/attr/apparmor/exec", ${how}, 24) = <self/attr/apparmor/exec>`)
  expect(plan.slice(first, first + 7)).toEqual([
    plan[first],
    'write(<self/attr/apparmor/exec>, "exec crio-default", 17)',
    'close(<self/attr/apparmor/exec>)',
    `openat2(<procfs>, "self/attr/exec", ${how}, 24) = <self/attr/exec>`,
    'write(<self/attr/exec>, "a_u:b_r:c_t:s0", 14)',
    'close(<self/attr/exec>)',
    'close(<procfs>)',
  ])
  expect(first).toBeLessThan(plan.findIndex((call) => call.startsWith('setresuid(')))
})

test('without a label no procfs is opened', () => {
  expect(calls({}).join()).not.toContain('/proc')
})
