/** The session keyring of the runtime's caller holds what is nobody else's (session-keyring(7)). */
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { call } from '@crio-lxc/core/sys/syscall'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { isRunc } from '../support/runtime.ts'
import type { Hook, Spec } from '../support/spec.ts'
import { giveImage, mapIds } from '../support/user-namespace.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root')
const t = useContainers()

/** KEYCTL_GET_KEYRING_ID of KEY_SPEC_SESSION_KEYRING. */
const own = ['keyctl', '0', '-3', '0']

/** That of this process from now on, which what it starts inherits: KEYCTL_JOIN_SESSION_KEYRING. */
const callers = String(call('keyctl', [1, null], () => 'keyctl(KEYCTL_JOIN_SESSION_KEYRING)'))

async function bundle(change: (spec: Spec, shared: string) => void = () => undefined): Promise<Bundle> {
  const shared = t.hostDirectory('shared-')
  chmodSync(shared, 0o777)
  const made = await t.bundle({
    args: ['sh', '-c', `/syscall ${own.join(' ')}; exec sleep 1000`],
    spec: (spec) => {
      spec.mounts.push({ destination: '/shared', type: 'bind', source: shared, options: ['bind', 'rw'] })
      change(spec, shared)
    },
  })
  copyFileSync(program('syscall'), join(made.rootfs, 'syscall'))
  return made
}

const shell = (script: string): Hook => ({ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin'] })
const mapped = (spec: Spec): void => mapIds(spec)

describe.each<[string, (spec: Spec) => void]>([
  ['a container', () => undefined],
  ['a container in a user namespace', mapped],
])('the processes of %s', (_, enter) => {
  it('each have a session keyring of their own', async () => {
    const made = await bundle(enter)
    giveImage(made)
    const { id, result } = await t.running(made)
    const found = [await waitFor(() => result.output() || undefined, { what: 'the keyring of the container' })]
    for (const user of ['0:0', '1000:1000']) {
      const { stdout } = await t.ok(['exec', '--user', user, id, '/syscall', ...own])
      found.push(stdout)
      if (user === '0:0') continue
      // KEYCTL_DESCRIBE of the caller's: root of the host owns it, nobody else may even see it.
      const described = await t.ok(['exec', '--user', user, id, '/syscall', 'keyctl', '6', callers, '0', '0'])
      expect(described.stdout).toMatch(/^-1 /)
    }
    const keyrings = found.map((text) => text.trim())
    for (const keyring of keyrings) expect(keyring).toMatch(/^[1-9]\d*$/)
    expect(keyrings).not.toContain(callers)
    // runc gives all of them the one of the container.
    if (!isRunc) expect(new Set(keyrings).size).toBe(keyrings.length)
  })

  it('and so have the hooks that run inside', async () => {
    const made = await bundle((spec, shared) => {
      enter(spec)
      const say = (name: string, directory: string, command: string): Hook =>
        shell(`${command} ${own.join(' ')} > ${directory}/${name}`)
      Object.assign(spec, {
        hooks: {
          createRuntime: [say('createRuntime', shared, program('syscall'))],
          createContainer: [say('createContainer', shared, program('syscall'))],
          startContainer: [say('startContainer', '/shared', '/syscall')],
        },
      })
    })
    giveImage(made)
    await t.running(made)
    const shared = made.spec.mounts.at(-1)?.source ?? ''
    const keyring = (hook: string): string => readFileSync(join(shared, hook), 'utf8').trim()
    expect(keyring('createRuntime')).toBe(callers)
    for (const hook of ['createContainer', 'startContainer']) {
      expect(keyring(hook)).toMatch(/^[1-9]\d*$/)
      expect(keyring(hook)).not.toBe(callers)
    }
  })
})

it('all keep that of the caller when the container was created with --no-new-keyring', async () => {
  const { id, result } = await t.running(await bundle(), { flags: ['--no-new-keyring'] })
  const { stdout } = await t.ok(['exec', id, '/syscall', ...own])
  await waitFor(() => result.output() || undefined, { what: 'the keyring of the container' })
  expect([result.output().trim(), stdout.trim()]).toEqual([callers, callers])
})
