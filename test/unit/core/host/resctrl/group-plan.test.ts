import { factsOf, planGroup, schemataLines } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import { resctrlMountPoint } from '@crio-lxc/core/host/resctrl/plan/mount-point'
import { firstDifference } from '@crio-lxc/core/host/resctrl/plan/schemata'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import { describe, expect, test } from 'vitest'

const plan = (intelRdt: IntelRdt) => planGroup(intelRdt, { root: '/r', id: 'web' })
const lines = (intelRdt: IntelRdt) => schemataLines(intelRdt).map(({ field, line }) => `${field} ${line}`)

describe('planGroup()', () => {
  test('without closID the group is named after the container, made for it and removed with it', () => {
    const planned = plan({ l3CacheSchema: 'L3:0=f' })
    expect(planned).toEqual({
      group: '/r/web',
      kind: 'own',
      schemata: [{ field: 'l3CacheSchema', line: 'L3:0=f' }],
      features: [],
    })
    expect(factsOf(planned)).toEqual({ group: '/r/web', tasks: ['/r/web/tasks'], remove: ['/r/web'] })
    expect(plan({})).toMatchObject({ group: '/r/web', kind: 'own', schemata: [] })
  })

  test('a class of closID stays', () => {
    const planned = plan({ closID: 'gold', memBwSchema: 'MB:0=20' })
    expect(planned).toMatchObject({ group: '/r/gold', kind: 'shared' })
    expect(factsOf(planned)).toEqual({ group: '/r/gold', tasks: ['/r/gold/tasks'], remove: [] })
  })

  test('closID without schemata needs the class', () => {
    expect(plan({ closID: 'gold' })).toMatchObject({ group: '/r/gold', kind: 'existing' })
  })

  test('closID "/" is the default class', () => {
    const planned = plan({ closID: '/', enableMonitoring: true })
    expect(planned).toMatchObject({ group: '/r', kind: 'existing', monitor: '/r/mon_groups/web' })
    expect(factsOf(planned).remove).toEqual(['/r/mon_groups/web'])
  })

  test.each(['..', '.', 'info', 'mon_groups', 'mon_data', 'a/b', '/etc', '../x'])('closID %j is refused', (closID) => {
    expect(() => plan({ closID })).toThrow(
      `linux.intelRdt.closID: must be the name of one directory below resctrl, or "/", got ${JSON.stringify(closID)}`,
    )
  })

  test('enableMonitoring makes a group that counts, which is joined after and removed before its class', () => {
    const planned = plan({ enableMonitoring: true })
    expect(planned.features).toEqual([{ field: 'enableMonitoring', names: [] }])
    expect(factsOf(planned)).toEqual({
      group: '/r/web',
      monitor: '/r/web/mon_groups/web',
      tasks: ['/r/web/tasks', '/r/web/mon_groups/web/tasks'],
      remove: ['/r/web/mon_groups/web', '/r/web'],
    })
  })

  test('enableCMT and enableMBM need what they count, and a group of their own in a class of others', () => {
    expect(plan({ enableCMT: true, enableMBM: true }).features).toEqual([
      { field: 'enableCMT', names: ['llc_occupancy'] },
      { field: 'enableMBM', names: ['mbm_total_bytes', 'mbm_local_bytes'] },
    ])
    expect(plan({ enableCMT: true })).not.toHaveProperty('monitor')
    expect(plan({ closID: 'gold', enableMBM: true })).toMatchObject({ monitor: '/r/gold/mon_groups/web' })
  })
})

describe('schemataLines()', () => {
  test.each<[IntelRdt, string[]]>([
    [{ l3CacheSchema: 'L3:0=f\nMB:0=10' }, ['l3CacheSchema L3:0=f', 'l3CacheSchema MB:0=10']],
    [
      { l3CacheSchema: 'L3:0=f\nMB:0=10\n', memBwSchema: 'L3:0=1\nMB:0=20' },
      ['l3CacheSchema L3:0=f', 'memBwSchema MB:0=20'],
    ],
    [
      { l3CacheSchema: 'L3:0=f', schemata: ['L2:0=3', 'L3:0=1'] },
      ['l3CacheSchema L3:0=f', 'schemata[0] L2:0=3', 'schemata[1] L3:0=1'],
    ],
    [{ l3CacheSchema: '', schemata: [] }, []],
  ])('%j', (intelRdt, expected) => {
    expect(lines(intelRdt)).toEqual(expected)
  })
})

describe('firstDifference()', () => {
  const existing = '    L3:0=00ff;1=0f\nL3CODE:0=f\n    MB:0= 20;1=100\n'
  const differs = (...schemata: string[]) => firstDifference(schemataLines({ schemata }), existing)?.line

  test.each([['L3:0=ff'], ['L3: 1=F ; 0=0xff'], ['MB:1=100;0=20', 'L3CODE:0=0f'], ['L3:0=ff;']])(
    '%s holds',
    (...schemata) => {
      expect(differs(...schemata)).toBeUndefined()
    },
  )

  test.each(['L3:0=fe', 'L3:2=f', 'MB:0=200', 'MB:0=2', 'L2:0=f', 'nonsense', 'L3:', 'L3:0'])('%s does not', (line) => {
    expect(differs('L3:0=ff', line)).toBe(line)
  })
})

test('resctrlMountPoint()', () => {
  const other = '25 1 0:23 / /sys rw - sysfs sysfs rw'
  expect(resctrlMountPoint(other)).toBeUndefined()
  expect(resctrlMountPoint(`${other}\n26 25 0:24 / /sys/fs/res\\040ctrl rw,nosuid shared:1 - resctrl none rw`)).toBe(
    '/sys/fs/res ctrl',
  )
})
