import { describe, expect, test } from 'vitest'
import { inspectionRows } from '../../../../packages/runtime-cli/src/diagnosis/inspection.ts'
import { plannedFacts } from '../../../../packages/runtime-cli/src/diagnosis/planned.ts'
import { cgroupIn, limitText, statusFacts } from '../../../../packages/runtime-cli/src/diagnosis/present.ts'

const of = (asked: object, is: object) =>
  inspectionRows({
    id: 'x',
    status: '',
    pid: 1,
    bundle: '',
    created: '',
    asked: { ...asked },
    planned: {},
    is: { ...is },
  })

const CAPS = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID']

describe('inspectionRows()', () => {
  test('counts long lists of capabilities, and names what differs', () => {
    const is = [...CAPS.slice(1), 'CAP_SYS_ADMIN']
    expect(of({ caps: CAPS }, { caps: is })).toEqual([
      ['', 'ASKED', 'PLANNED', 'IS'],
      ['caps', '4', '-', '4 -CAP_CHOWN +CAP_SYS_ADMIN'],
    ])
  })

  test('leaves out what nobody says, and cuts what is long', () => {
    expect(of({ a: undefined, b: [] }, { c: 'x'.repeat(100) })).toEqual([
      ['', 'ASKED', 'PLANNED', 'IS'],
      ['c', '-', '-', `${'x'.repeat(33)}...`],
    ])
  })
})

test.each([
  ['max', 'no limit'],
  ['-1 100000', 'no limit'],
  ['9223372036854771712', 'no limit'],
  ['max 100000', 'no limit'],
  ['20000 100000', '20000/100000'],
  ['7', '7'],
  ['', undefined],
])('limitText(%j)', (text, expected) => {
  expect(limitText(text)).toBe(expected)
})

test.each([
  ['12:pids:/a:b\n0::/c\n', '/c'],
  ['12:pids:/a:b\n', '/a:b'],
  ['', undefined],
])('cgroupIn(%j)', (text, expected) => {
  expect(cgroupIn(text)).toBe(expected)
})

test('statusFacts() takes effective ids, and names capabilities', () => {
  const text =
    'Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapEff:\t0000000000000021\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n'
  expect(statusFacts(text)).toMatchObject({
    user: '2:6 on the host',
    'capabilities.effective': ['CAP_CHOWN', 'CAP_KILL'],
    noNewPrivileges: 'true',
    seccomp: '3 filter(s)',
  })
})

test('plannedFacts() says who makes a namespace, and what the settings leave out', () => {
  const facts = {
    containerId: 'x',
    createdAt: '',
    runtimeRoot: '/r',
    bundlePath: '/b',
    monitorCgroupDir: '',
    cgroupDir: '/c',
    seccomp: false,
    capabilities: true,
    apparmor: true,
    cgroupDevices: true,
    namespaces: [{ type: 'network' }, { type: 'time' }, { type: 'ipc', path: '/proc/1/ns/ipc' }],
    rootfs: '/b/rootfs',
    owner: '',
    ociVersion: '1.2.0',
    creator: { pid: 1, startTime: 1 },
    initExecutable: '',
    madeCgroups: [],
  } as const
  expect(plannedFacts({ facts, init: undefined, config: 'lxc.namespace.clone = pid net\n' })).toMatchObject({
    'namespaces.network': 'made by liblxc',
    'namespaces.time': 'made by init',
    'namespaces.ipc': 'joined',
    seccomp: 'left out by the settings',
  })
})
