import { x64 } from '@crio-lxc/core/abi/arch'
import { AT_FDCWD } from '@crio-lxc/core/abi/constants'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { namesOf } from '@crio-lxc/core/plan/names'
import { expect, test } from 'vitest'
import {
  comparable,
  ruleSections,
  withoutDescriptors,
} from '../../../../packages/runtime-cli/src/plan-text/comparable.ts'
import { Table } from '../../../../packages/runtime-cli/src/plan-text/sections.ts'

test('withoutDescriptors() hides those that are opened, and nothing else', () => {
  const { argument } = withoutDescriptors(namesOf(x64))
  expect(argument('move_mount', 0, [12, 0, 20, 0, 4])).toBe('FD')
  expect(argument('move_mount', 4, [12, 0, 20, 0, 4])).toBe('MOVE_MOUNT_F_EMPTY_PATH')
  expect(argument('dup3', 1, [12, 2, 0])).toBeUndefined()
  expect(argument('openat', 0, [AT_FDCWD, 0, 0])).toBeUndefined()
  expect(argument('setresuid', 0, [12, 12, 12])).toBeUndefined()
})

test('comparable() names files of the bundle alike, and none that only looks like one', () => {
  const lines = [
    'rootfs  /b.c/rootfs',
    'open("/b.c/x")',
    '/a/b.c/x',
    '/b.c2',
    '/bxc/',
    '/b.c,/b.c:/b.c',
    'close fds 3 to 9: close_range(3, 9)',
  ]
  expect(comparable([{ title: 'x', lines }], '/b.c')[0]?.lines).toEqual([
    'rootfs  BUNDLE/rootfs',
    'open("BUNDLE/x")',
    '/a/b.c/x',
    '/b.c2',
    '/bxc/',
    'BUNDLE,/b.c:BUNDLE',
    'close fds: close_range(FD, FD)',
  ])
  const table = comparable([{ title: 'x', lines: new Table([['/b', '/proc/self/fd/7']]) }], '/b')
  expect(table[0]?.lines).toEqual(new Table([['BUNDLE', '/proc/self/fd/N']]))
})

test('ruleSections() has a line for each system call of a filter', () => {
  const seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['b', 'a'], action: 'SCMP_ACT_ERRNO', errnoRet: 7 }],
  } as const
  expect(ruleSections({ ...defaultSpec, linux: { seccomp } }).map(({ lines }) => lines)).toEqual([
    ['{"defaultAction":"SCMP_ACT_ALLOW"}'],
    ['a {"action":"SCMP_ACT_ERRNO","errnoRet":7}', 'b {"action":"SCMP_ACT_ERRNO","errnoRet":7}'],
  ])
  expect(ruleSections(defaultSpec).map(({ lines }) => lines)).toEqual([[], []])
})
