/** No machine of the tests has resctrl: a directory shows which paths are made, read and written, and nothing of the kernel's part. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkGroup, makeGroup, removeGroups, writeSchemata } from '@crio-lxc/core/host/resctrl/group'
import { readResctrlStats } from '@crio-lxc/core/host/resctrl/group-stats'
import { factsOf, planGroup, schemataLines } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resctrl-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function files(contents: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const plan = (intelRdt: IntelRdt) => planGroup(intelRdt, { root, id: 'web' })
const check = (intelRdt: IntelRdt) => checkGroup(root, plan(intelRdt))

function make(intelRdt: IntelRdt): string[] {
  const made: string[] = []
  makeGroup(root, plan(intelRdt), (directory) => made.push(directory.slice(root.length)))
  return made
}

describe('in a directory that has the names of resctrl (not a kernel): checkGroup()', () => {
  test('a group of the name of the container must not exist yet', () => {
    expect(() => check({})).not.toThrow()
    files({ 'web/schemata': '' })
    expect(() => check({})).toThrow(`linux.intelRdt: ${root}/web exists already`)
  })

  test('a class without schemata must exist', () => {
    expect(() => check({ closID: 'gold' })).toThrow(`linux.intelRdt.closID: ${root}/gold does not exist`)
    files({ 'gold/schemata': '' })
    expect(() => check({ closID: 'gold' })).not.toThrow()
  })

  test('a class that exists must have the schemata', () => {
    expect(() => check({ closID: 'gold', schemata: ['L3:0=f'] })).not.toThrow()
    files({ 'gold/schemata': 'L3:0=f\nMB:0=100\n' })
    expect(() => check({ closID: 'gold', schemata: ['L3:0=f'] })).not.toThrow()
    expect(() => check({ closID: 'gold', memBwSchema: 'MB:0=50' })).toThrow(
      `linux.intelRdt.memBwSchema: ${root}/gold exists already, and has other schemata than "MB:0=50"`,
    )
  })

  test('what is not monitored is refused by its field', () => {
    expect(() => check({ enableMonitoring: true })).toThrow(/^linux\.intelRdt\.enableMonitoring: .* does not monitor/)
    files({ 'info/L3_MON/mon_features': 'llc_occupancy\n' })
    expect(() => check({ enableMonitoring: true, enableCMT: true })).not.toThrow()
    expect(() => check({ enableMBM: true })).toThrow(/^linux\.intelRdt\.enableMBM: /)
  })
})

describe('in a directory that has the names of resctrl (not a kernel): makeGroup() and removeGroups()', () => {
  test('make and remove the group of the container', () => {
    expect(make({})).toEqual(['/web'])
    removeGroups(factsOf(plan({})).remove)
    expect(existsSync(join(root, 'web'))).toBe(false)
    removeGroups(factsOf(plan({})).remove)
  })

  test('make a group that counts in a class that exists, and remove that alone', () => {
    mkdirSync(join(root, 'gold/mon_groups'), { recursive: true })
    const intelRdt = { closID: 'gold', enableMonitoring: true }
    expect(make(intelRdt)).toEqual(['/gold/mon_groups/web'])
    removeGroups(factsOf(plan(intelRdt)).remove)
    expect(existsSync(join(root, 'gold/mon_groups'))).toBe(true)
    expect(existsSync(join(root, 'gold/mon_groups/web'))).toBe(false)
  })

  test('a failure tells what was made before it, and what the kernel says of it', () => {
    files({ 'info/last_cmd_status': 'mkdir failed\n' })
    const made: string[] = []
    expect(() => makeGroup(root, plan({ enableMonitoring: true }), (directory) => made.push(directory))).toThrow(
      `linux.intelRdt.enableMonitoring: make the resctrl group ${root}/web/mon_groups/web: no such file or directory: mkdir failed`,
    )
    expect(made).toEqual([`${root}/web`])
  })

  test('schemata are written in one piece, and an error names their field', () => {
    files({ 'web/schemata': '' })
    const lines = schemataLines({ l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20' })
    writeSchemata(root, join(root, 'web'), lines)
    expect(readFileSync(join(root, 'web/schemata'), 'utf8')).toBe('L3:0=f\nMB:0=20\n')
    expect(() => writeSchemata(root, join(root, 'none'), lines.slice(0, 1))).toThrow(
      `linux.intelRdt.l3CacheSchema: write "L3:0=f" to ${root}/none/schemata: no such file or directory`,
    )
  })
})

describe('in a directory that has the names of resctrl (not a kernel): readResctrlStats()', () => {
  test('prints what runc prints', () => {
    files({
      'info/L3/cbm_mask': '7ff\n',
      'info/L3/min_cbm_bits': '1\n',
      'info/L3/num_closids': '16\n',
      'info/MB/bandwidth_gran': '10\n',
      'info/MB/delay_linear': '1\n',
      'info/MB/min_bandwidth': '10\n',
      'info/MB/num_closids': '8\n',
      'info/L3_MON/mon_features': 'llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n',
      schemata: '    L3:0=7ff\n    MB:0=100\n',
      'web/schemata': '    L3:0=00f\n    MB:0= 20\n',
      'web/mon_groups/web/mon_data/mon_L3_00/llc_occupancy': '4096\n',
      'web/mon_groups/web/mon_data/mon_L3_00/mbm_total_bytes': '300\n',
      'web/mon_groups/web/mon_data/mon_L3_00/mbm_local_bytes': 'Unavailable\n',
      'web/mon_groups/web/mon_data/mon_PERF_PKG_00/core_energy': '1.5\n',
    })
    expect(readResctrlStats(factsOf(plan({ enableMonitoring: true })), root)).toEqual({
      l3_cache_info: { cbm_mask: '7ff', min_cbm_bits: 1, num_closids: 16 },
      l3_cache_schema_root: 'L3:0=7ff',
      l3_cache_schema: 'L3:0=00f',
      mem_bw_info: { bandwidth_gran: 10, delay_linear: 1, min_bandwidth: 10, num_closids: 8 },
      mem_bw_schema_root: 'MB:0=100',
      mem_bw_schema: 'MB:0= 20',
      mbm_stats: [{ mbm_total_bytes: 300 }],
      cmt_stats: [{ llc_occupancy: 4096 }],
    })
  })

  test('nothing of what the host does not have', () => {
    mkdirSync(join(root, 'web'))
    expect(readResctrlStats(factsOf(plan({})), root)).toEqual({})
  })
})
