import type { Mount } from '@crio-lxc/core/oci/spec'
import { filesystemsToRemount } from '@crio-lxc/init/steps/remount'
import { describe, expect, test } from 'vitest'

const on = (destination: string, type: string, ...options: string[]): Mount => ({ destination, type, options })

describe('filesystemsToRemount()', () => {
  test('finds the mount that made the filesystem, in whatever spelling', () => {
    const list = [
      on('/a', 'tmpfs'),
      on('//b/', 'tmpfs'),
      on('/a/../b', 'tmpfs', 'remount', 'ro'),
      on('/b', '', 'bind', 'remount', 'ro'),
      on('b', 'tmpfs', 'remount', 'rw'),
    ]
    expect([...filesystemsToRemount(list)]).toEqual([
      [2, 1],
      [4, 1],
    ])
  })

  test.each([
    ['nothing', []],
    ['another type', [on('/a', 'ramfs')]],
    ['a bind', [on('/a', 'bind', 'bind')]],
    ['a bind of that type', [on('/a', 'tmpfs', 'rbind')]],
    ['a bind on it', [on('/a', 'tmpfs'), on('/a', 'bind', 'bind')]],
    ['something later', [on('/a', 'tmpfs', 'remount'), on('/a', 'tmpfs')]],
  ])('refuses where there is %s', (_, before) => {
    expect(() => filesystemsToRemount([...before, on('/a', 'tmpfs', 'remount')])).toThrow(
      /^mounts\[\d\]\.options: "remount" needs an earlier mount of type "tmpfs" on \/a: add "bind"/,
    )
  })

  test.each(['sysfs', 'mqueue', 'cgroup', 'cgroup2', 'ext4', 'debugfs'])(
    'refuses %s, which the host may have mounted too',
    (type) => {
      expect(() => filesystemsToRemount([on('/a', type), on('/a', type, 'remount')])).toThrow(
        `mounts[1].options: "remount" of type "${type}" may change a filesystem that the host has mounted too`,
      )
    },
  )
})
