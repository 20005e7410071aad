import { cgroupOwner } from '@crio-lxc/core/host/cgroup/delegate'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { expect, test } from 'vitest'

const hierarchy = { name: '', mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] } as const
const v2 = { mode: 'v2', hierarchies: [hierarchy] } as const
const created: ReadonlySet<NamespaceType> = new Set(['cgroup'])
const ids = { uids: [{ containerID: 0, hostID: 100_000, size: 10 }], gids: [] }
const writable = {
  ...defaultSpec,
  mounts: [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw'] }],
}

test('the cgroup belongs to the process’s user on the host', () => {
  expect(cgroupOwner(writable, { layout: v2, created, ids })).toBe(100_000)
  const process = { ...writable.process, user: { uid: 7, gid: 7 } }
  expect(cgroupOwner({ ...writable, process }, { layout: v2, created, ids })).toBe(100_007)
  expect(cgroupOwner({ ...writable, process }, { layout: v2, created, ids: undefined })).toBe(7)
})

test('it stays root’s when root is the user, on v1, read-only, and without a cgroup namespace', () => {
  expect(cgroupOwner(writable, { layout: v2, created, ids: undefined })).toBeUndefined()
  expect(cgroupOwner(writable, { layout: { ...v2, mode: 'hybrid' }, created, ids })).toBeUndefined()
  expect(cgroupOwner(defaultSpec, { layout: v2, created, ids })).toBeUndefined()
  expect(cgroupOwner(writable, { layout: v2, created: new Set(), ids })).toBeUndefined()
})
