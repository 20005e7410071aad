import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archOf } from '@crio-lxc/core/abi/arch'
import { AT_FDCWD } from '@crio-lxc/core/abi/constants'
import { compile } from '@crio-lxc/core/plan/compile'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** A plan that waits for ever, as that of an init that has not been started does. */
function waitingPlan(): Uint8Array {
  const arch = archOf(process.arch)
  if (!arch) throw new Error(process.arch)
  const plan = new Plan(planTag.wait, arch)
  plan.step('wait', 'openat', [AT_FDCWD, plan.string('/fifo'), 0])
  return compile(plan, 2)
}

it('a container that executes the executor with a plan of its own is running, not created', async () => {
  // Of a script the kernel hands on the path, which the executor reads as a number: "/:" is -1 * 10 + 10, its stdin.
  const bundle = await t.bundle({ args: ['/:'] })
  const script = join(bundle.rootfs, ':')
  writeFileSync(script, '#!/proc/self/exe\n')
  chmodSync(script, 0o755)
  execFileSync('mkfifo', [join(bundle.rootfs, 'fifo')])
  const plan = join(bundle.path, 'plan')
  writeFileSync(plan, waitingPlan())
  const { id, pid } = await t.create(bundle, { through: ['sh', '-c', `exec "$@" < ${plan}`, 'sh'] })
  expect((await t.state(id)).status).toBe('created')
  await t.ok(['start', id])
  expect(await t.state(id)).toMatchObject({ status: 'running', pid })
  expect(messageOf(await t.runtime(['start', id]))).toMatch(/cannot start an already running container/)
  // A signal that a container which is not started would die of is only delivered.
  await t.ok(['kill', id, 'USR1'])
  expect((await t.state(id)).status).toBe('running')
})
