import type { Property } from '@crio-lxc/core/dbus/signature'
import { filesToTell, planRestore, unitFiles } from '@crio-lxc/core/host/cgroup/plan/unit-files'
import { describe, expect, test } from 'vitest'
import { type Host, hosts } from './layouts.ts'

const texts = (files: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(files))
const tasksMax: Property = ['TasksMax', { signature: 't', value: 1n }]
const ioWeight: Property = ['IOWeight', { signature: 't', value: 4500n }]

describe('planRestore()', () => {
  const restored = (
    host: Host,
    [before, after]: [Record<string, string>, Record<string, string>],
    told: Property[] = [tasksMax],
  ): string[] =>
    planRestore(hosts[host], { before: texts(before), after: texts(after), told }).map(
      ({ file, value }) => `${file} ${value}`,
    )

  test.each<[Host, Record<string, string>, Record<string, string>, string[], Property[]?]>([
    ['v2', { '2 memory.oom.group': '1' }, { '2 memory.oom.group': '0' }, ['memory.oom.group 1']],
    ['v2', { '2 memory.oom.group': '1' }, { '2 memory.oom.group': '1' }, []],
    // Lists that were none.
    ['v2', { '2 cpuset.cpus': '' }, { '2 cpuset.cpus': '0' }, ['cpuset.cpus ']],
    [
      'v2',
      { '2 io.bfq.weight': 'default 500\n8:0 300', '2 io.weight': 'default 70' },
      { '2 io.bfq.weight': 'default 100', '2 io.weight': 'default 100' },
      ['io.weight default 70', 'io.bfq.weight default 500', 'io.bfq.weight 8:0 300'],
    ],
    [
      'v2',
      { '2 io.bfq.weight': 'default 500', '2 io.weight': 'default 100' },
      { '2 io.bfq.weight': 'default 500', '2 io.weight': 'default 4500' },
      [],
      [ioWeight],
    ],
    ['v2', { '2 cpu.idle': '1', '2 cpu.weight': '0' }, { '2 cpu.idle': '0', '2 cpu.weight': '100' }, ['cpu.idle 1']],
    [
      'v2',
      { '2 cpu.idle': '0', '2 cpu.weight': '50' },
      { '2 cpu.idle': '1', '2 cpu.weight': '0' },
      ['cpu.idle 0', 'cpu.weight 50'],
    ],
    ['hybrid', { '1 cpu.shares': '5', '1 pids.max': '3' }, { '1 cpu.shares': '1024' }, ['cpu.shares 5', 'pids.max 3']],
  ])('%s %j %j', (host, before, after, writes, told) => {
    expect(restored(host, [before, after], told)).toEqual(writes)
  })
})

test('unitFiles() are of the controllers that the host has', () => {
  const files = (host: Host): string[] => unitFiles(hosts[host]).map(({ file }) => file)
  expect(files('v2')).toEqual(expect.arrayContaining(['memory.oom.group', 'io.bfq.weight', 'cpu.max', 'pids.max']))
  expect(files('bare')).toEqual([])
  expect(files('v1')).toEqual(expect.arrayContaining(['cpu.cfs_quota_us', 'memory.limit_in_bytes']))
  expect(files('v1')).not.toContain('memory.max')
})

test.each<[string, string[]]>([
  ['cpu.weight.nice', ['cpu.idle', 'cpu.weight', 'cpu.weight.nice']],
  ['io.weight', ['io.bfq.weight', 'io.weight']],
  ['pids.max', ['pids.max']],
])('filesToTell() %s', (file, files) => {
  const [hierarchy] = hosts.v2.hierarchies
  expect(filesToTell([{ hierarchy, file, value: '1', field: 'f' }]).map((target) => target.file)).toEqual(files)
})
