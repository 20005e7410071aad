import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { namespaceOf } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

it('exec does not enter the mount namespace of a user namespace below, where its owner has more privileges', async () => {
  // The first process stays in its user namespace; the go comes once its mount namespace is known here.
  const script =
    'busybox unshare -U -m sleep 1000 & until test -e /tmp/go; do sleep 0.1; done; exec busybox nsenter -t $! -m sleep 1000'
  const { id, pid } = await t.running({
    args: ['sh', '-c', script],
    spec: (spec) => {
      spec.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' })
      for (const set of Object.values(spec.process.capabilities ?? {}))
        set.push('CAP_SYS_ADMIN', 'CAP_SYS_CHROOT', 'CAP_SYS_PTRACE')
    },
  })
  const before = namespaceOf(pid, 'mnt')
  await t.ok(['exec', id, 'touch', '/tmp/go'])
  await waitFor(() => namespaceOf(pid, 'mnt') !== before, { what: 'init to change its mount namespace' })
  const result = await t.runtime(['exec', id, 'true'])
  expect(result.exitCode).not.toBe(0)
  expect(messageOf(result)).toMatch(/has a mount namespace of others/)
})
