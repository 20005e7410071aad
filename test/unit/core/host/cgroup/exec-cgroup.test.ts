import { subCgroups } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import type { CgroupLayout, Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { describe, expect, test } from 'vitest'
import { hosts } from './layouts.ts'

const unified: Hierarchy = { name: 'unified', mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] }
const v1 = hosts.v1.hierarchies.filter(({ name }) => name === 'cpu,cpuacct' || name === 'pids')
const hybrid: CgroupLayout = { mode: 'hybrid', hierarchies: [...v1, unified] }
const { v2 } = hosts

/** The path of each hierarchy for `--cgroup` of a container in /c. */
function paths(layout: CgroupLayout, ...args: string[]): string[] {
  return layout.hierarchies.map(subCgroups(args, { path: '/c', layout }))
}

describe('exec --cgroup', () => {
  test.each<[string[], string[]]>([
    [['sub'], ['/c/sub', '/c/sub', '/c/sub']],
    [['/a//b/'], ['/c/a/b', '/c/a/b', '/c/a/b']],
    [['a/../b'], ['/c/b', '/c/b', '/c/b']],
    [['.'], ['/c', '/c', '/c']],
    [['pids:sub'], ['/c', '/c/sub', '/c']],
    [['cpuacct:sub'], ['/c/sub', '/c', '/c']],
    [
      ['cpu:a', 'pids:b'],
      ['/c/a', '/c/b', '/c'],
    ],
    [['cpu,cpuacct:a'], ['/c/a', '/c', '/c']],
    [['cpu,pids:a'], ['/c/a', '/c/a', '/c']],
  ])('%j', (args, expected) => {
    expect(paths(hybrid, ...args)).toEqual(expected)
  })

  test('a path on a v2 host', () => {
    expect(paths(v2, 'sub')).toEqual(['/c/sub'])
  })

  test.each<[CgroupLayout, string[], string]>([
    [hybrid, ['..'], 'invalid --cgroup "..": .. is not a sub cgroup path'],
    [hybrid, ['a/../../c2'], 'invalid --cgroup "a/../../c2": a/../../c2 is not a sub cgroup path'],
    [hybrid, ['pids:..'], 'invalid --cgroup "pids:..": .. is not a sub cgroup path'],
    [hybrid, [':a'], 'invalid --cgroup ":a": unknown controller "": no hierarchy of cgroup v1 has it'],
    [
      hybrid,
      ['memory:a'],
      'invalid --cgroup "memory:a": unknown controller "memory": no hierarchy of cgroup v1 has it',
    ],
    [hybrid, ['pids:a', 'pids:b'], 'invalid --cgroup "pids:b": the hierarchy pids has another path already'],
    [
      hybrid,
      ['cpu:a', 'cpuacct:b'],
      'invalid --cgroup "cpuacct:b": the hierarchy cpu,cpuacct has another path already',
    ],
    [hybrid, ['a', 'pids:b'], 'invalid --cgroup "a": only one path can be for all hierarchies: write CONTROLLER:PATH'],
    [v2, ['pids:a'], 'invalid --cgroup "pids:a": unknown controller "pids": no hierarchy of cgroup v1 has it'],
  ])('%j %j is refused', ({ hierarchies, mode }, args, message) => {
    expect(() => paths({ hierarchies, mode }, ...args)).toThrow(message)
  })
})
