/** The bundles on Node instead of the executable: the other engine, with koffi in place of its foreign functions. */
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { productNode } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime', 'node-22')
const t = useContainers()
const program = resolve(import.meta.dirname, '../../../dist/lib/crio-lxc/crio-lxc.js')
/** Takes the place of the runtime's path, which is the first argument of what it runs. */
const through = ['/bin/sh', '-c', 'program=$1; shift 2; exec "$0" "$program" "$@"', productNode() ?? 'node', program]

async function node(...args: string[]) {
  const result = await t.runtime(args, { through })
  expect(result.stderr).toBe('')
  return result
}

it('makes, starts, enters, kills and deletes a container', async () => {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const id = t.id()
  const pidFile = join(t.hostDirectory(), 'pid')
  expect(await node('create', '--bundle', bundle.path, '--pid-file', pidFile, id)).toMatchObject({ exitCode: 0 })
  expect(await t.state(id)).toMatchObject({ status: 'created' })
  expect(await node('start', id)).toMatchObject({ exitCode: 0 })
  expect(JSON.parse((await node('state', id)).stdout)).toMatchObject({ status: 'running' })
  expect(await node('exec', id, 'sh', '-c', 'echo inside; exit 7')).toMatchObject({ exitCode: 7, stdout: 'inside\n' })
  expect(await node('kill', id, 'KILL')).toMatchObject({ exitCode: 0 })
  await t.waitForStatus(id, 'stopped')
  expect(await node('delete', id)).toMatchObject({ exitCode: 0 })
  await waitFor(async () => (await t.stateOrNone(id)) === undefined)
})

it('loads seccomp filters and waits for a process in the foreground', async () => {
  const bundle = await t.bundle({
    args: ['sh', '-c', 'mkdir /dev/x; echo $?'],
    spec: (spec) => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
      }
    },
  })
  const result = await t.runtime(['run', '--bundle', bundle.path, t.id()], { through })
  expect(result).toMatchObject({ exitCode: 0, stdout: '1\n' })
  expect(result.stderr).toMatch(/not supported/i)
})
