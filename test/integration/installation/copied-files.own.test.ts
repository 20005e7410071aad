/** An installation whose hard links have become files of their own, as `cp -r` and `rsync` leave them. */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { type State, useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

it('makes, starts and deletes containers', async () => {
  const prefix = join(t.hostDirectory(), 'prefix')
  execFileSync('cp', ['-r', join(dirname(runtimePath), '..'), prefix])
  const libexec = join(prefix, 'libexec/crio-lxc')
  expect(statSync(`${libexec}/stage/init`).ino).not.toBe(statSync(`${libexec}/crio-lxc-init`).ino)
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const id = t.id()
  const run = (...args: string[]): string =>
    execFileSync(join(prefix, 'bin/crio-lxc'), ['--root', t.root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', args[0] === 'create' ? 'ignore' : 'pipe', 'ignore'],
    })
  const status = (): string => (JSON.parse(run('state', id)) as State).status
  run('create', '--bundle', bundle.path, id)
  expect(status()).toBe('created')
  run('start', id)
  expect(status()).toBe('running')
  run('delete', '--force', id)
  t.expectNothingLeft()
})
