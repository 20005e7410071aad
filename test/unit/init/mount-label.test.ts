import { x64 } from '@crio-lxc/core/abi/arch'
import type { Mount } from '@crio-lxc/core/oci/spec'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { printPlan } from '@crio-lxc/core/plan/print'
import { labelledData, refuseOtherContext } from '@crio-lxc/init/mount-label'
import { planMounts } from '@crio-lxc/init/steps/mounts'
import { planOwnNodes } from '@crio-lxc/init/steps/own-nodes'
import { describe, expect, test } from 'vitest'

const label = 'a_u:b_r:c_t:s0:c1,c2'
const context = `context=\\"${label}\\"`

/** The system calls that make one mount. */
function calls(mount: Mount, version: 1 | 2 = 2): string[] {
  const plan = new Plan(planTag.container, x64)
  const cgroup = { version, hierarchies: version === 2 ? [] : [{ name: 'cpu', data: 'cpu' }], links: [] }
  planMounts(plan, { root: 5, mounts: [mount], detached: new Map(), fromTree: new Map(), cgroup, label })
  return printPlan(plan).map(({ call }) => call)
}

const mounting = (mount: Mount, version?: 1 | 2) => calls(mount, version).filter((call) => call.startsWith('mount('))

describe('a new filesystem', () => {
  test.each(['tmpfs', 'devpts', 'ramfs', 'overlay', 'ext4'])('of type %s gets the context', (type) => {
    expect(mounting({ destination: '/mnt', type })).toEqual([`mount("${type}", ".", "${type}", 0, "${context}")`])
  })

  test('gets it before its own options, whatever quotes they have', () => {
    expect(mounting({ destination: '/mnt', type: 'ramfs', options: ['x="', 'mode=700'] })).toEqual([
      `mount("ramfs", ".", "ramfs", 0, "${context},x=\\",mode=700")`,
    ])
  })

  test.each(['proc', 'sysfs', 'cgroup', 'cgroup2'])('of type %s gets none', (type) => {
    expect(calls({ destination: type === 'proc' ? '/proc' : '/sys', type }).join()).not.toContain('a_u')
  })

  test('of type mqueue gets the label on its root, before it is attached', () => {
    const plan = calls({ destination: '/dev/mqueue', type: 'mqueue', options: ['nosuid'] })
    const first = plan.findIndex((call) => call.startsWith('fsopen("mqueue"'))
    expect(plan.slice(first + 2, first + 8)).toEqual([
      expect.stringMatching(/^fsmount\(.*, 1, 2\)/),
      expect.stringMatching(/^close\(/),
      expect.stringMatching(/^fchdir\(/),
      `setxattr(".", "security.selinux", "${label}", ${label.length + 1}, 0)`,
      expect.stringMatching(/^move_mount\(/),
      expect.stringMatching(/^close\(/),
    ])
    expect(mounting({ destination: '/dev/mqueue', type: 'mqueue' })).toEqual([])
  })

  test('that holds the v1 hierarchies gets it, they do not', () => {
    const [tmpfs, cpu] = mounting({ destination: '/sys/fs/cgroup', type: 'cgroup' }, 1)
    expect(tmpfs).toContain(`"${context},mode=755"`)
    expect(cpu).not.toContain('a_u')
  })

  test('that masks and device nodes lie on gets it', () => {
    const plan = new Plan(planTag.container, x64)
    planOwnNodes(plan, { stage: '', label, count: 2 })
    expect(printPlan(plan)[0]?.call).toContain(`"${context},mode=755,nr_blocks=1,nr_inodes=6"`)
  })
})

describe('labelledData()', () => {
  test('refuses what mount(2) would cut off', () => {
    expect(() => labelledData('x'.repeat(4064), label, 'mounts[3]')).not.toThrow()
    expect(() => labelledData('x'.repeat(4065), label, 'mounts[3]')).toThrow(
      'mounts[3].options: must be at most 4095 bytes with linux.mountLabel, got 4096',
    )
  })
})

test.each(['context=x', 'size=1m,defcontext="x"'])('an own context is refused: %s', (data) => {
  expect(() => refuseOtherContext(data, 'mounts[3]')).toThrow(
    /^mounts\[3\]\.options: "(def)?context" and linux.mountLabel/,
  )
  expect(() => refuseOtherContext('fscontext=x,rootcontext=y', 'mounts[3]')).not.toThrow()
})
