import { arm64, x64 } from '@crio-lxc/core/abi/arch'
import * as c from '@crio-lxc/core/abi/constants'
import { namesOf } from '@crio-lxc/core/plan/names'
import type { Operation } from '@crio-lxc/core/plan/plan'
import { describe, expect, test } from 'vitest'

const names = namesOf(x64)

describe('namesOf() spells arguments', () => {
  test.each([
    ['openat', 2, [0, 0, c.O_WRONLY | c.O_CREAT | c.O_CLOEXEC], 'O_WRONLY|O_CREAT|O_CLOEXEC'],
    ['openat', 2, [0, 0, 0], 'O_RDONLY'],
    ['openat', 2, [0, 0, c.O_PATH], 'O_PATH'],
    ['openat', 3, [0, 0, c.O_CREAT, 0o644], '0644'],
    ['mkdirat', 2, [0, 0, 0o755], '0755'],
    ['umask', 0, [0], '0'],
    ['mknodat', 2, [0, 0, c.S_IFCHR | 0o666], 'S_IFCHR|0666'],
    ['mknodat', 3, [0, 0, 0, c.makedev(259, 0x12345)], `makedev(259, ${0x12345})`],
    ['mount', 3, [0, 0, 0, c.MS_RDONLY | c.MS_NOSUID], 'MS_RDONLY|MS_NOSUID'],
    ['mount', 3, [0, 0, 0, 0], '0'],
    ['mount', 3, [0, 0, 0, c.MS_BIND | (1 << 29)], 'MS_BIND|0x20000000'],
    ['move_mount', 4, [0, 0, 0, 0, 0x44], 'MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH'],
    ['open_tree', 2, [0, 0, c.OPEN_TREE_CLONE | c.OPEN_TREE_CLOEXEC], 'OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC'],
    ['setns', 1, [0, c.CLONE_NEWNET], 'CLONE_NEWNET'],
    ['clone', 0, [c.CLONE_PARENT | c.SIGCHLD], 'CLONE_PARENT|SIGCHLD'],
    ['prctl', 0, [c.PR_SET_DUMPABLE, 0], 'PR_SET_DUMPABLE'],
    ['prctl', 1, [c.PR_SET_DUMPABLE, 0], undefined],
    ['prctl', 1, [c.PR_CAPBSET_DROP, 21], 'CAP_SYS_ADMIN'],
    ['prctl', 1, [c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_RAISE, 5], 'PR_CAP_AMBIENT_RAISE'],
    ['prctl', 2, [c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_RAISE, 5], 'CAP_KILL'],
    ['prctl', 2, [c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_CLEAR_ALL, 0], undefined],
    ['socket', 1, [0, c.SOCK_DGRAM | c.SOCK_CLOEXEC], 'SOCK_DGRAM|SOCK_CLOEXEC'],
    ['prlimit64', 1, [0, 7], 'RLIMIT_NOFILE'],
    ['close', 0, [3], undefined],
  ] satisfies [Operation, number, number[], string | undefined][])('%s, %i of %j', (call, index, args, expected) => {
    expect(names.argument(call, index, args)).toBe(expected)
  })

  test('as the processor has them', () => {
    const args = [0, 0, c.O_PATH | arm64.O_DIRECTORY]
    expect(namesOf(arm64).argument('openat', 2, args)).toBe('O_PATH|O_DIRECTORY')
    expect(names.argument('openat', 2, args)).not.toContain('O_DIRECTORY')
  })
})

test.each([
  ['resolve', c.RESOLVE_IN_ROOT | c.RESOLVE_NO_MAGICLINKS, 'RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT'],
  ['open flags', c.O_RDWR, 'O_RDWR'],
  ['mount attributes', c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOATIME, 'MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOATIME'],
  ['mount attributes', c.MOUNT_ATTR_NODEV | c.MOUNT_ATTR__ATIME, 'MOUNT_ATTR_NODEV|MOUNT_ATTR__ATIME'],
  ['mount flags', c.MS_REC | c.MS_SLAVE, 'MS_REC|MS_SLAVE'],
] as const)('namesOf() spells %s of a structure', (meaning, value, expected) => {
  expect(names.member(meaning, value)).toBe(expected)
})
