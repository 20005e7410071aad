/** The profile that the package brings for the runtime itself, loaded for the executable under test. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime', 'apparmor')
const t = useContainers()

const shipped = resolve(import.meta.dirname, '../../../scripts/package/files/crio-lxc.apparmor')
const label = 'cat /proc/self/attr/current'

/** Until the end of the test. */
function load(text: string): void {
  const file = join(t.hostDirectory(), 'profile')
  writeFileSync(file, text)
  execFileSync('apparmor_parser', ['--replace', '--skip-cache', file])
  t.defer(() => void execFileSync('apparmor_parser', ['--remove', file]))
}

/** As engines have it: a profile of a container that lets `peer` send signals. */
function loadContainerProfile(peer: string): string {
  const name = t.id()
  load(`profile ${name} flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  signal (receive) peer=${peer},
  signal (send, receive) peer=${name},
}
`)
  return name
}

beforeEach(() => {
  load(readFileSync(shipped, 'utf8').replace('/usr/{,local/}bin/crio-lxc', runtimePath))
})

describe("with the package's profile loaded", () => {
  it('the runtime has its name, and a container without a profile as well', async () => {
    const { path } = await t.bundle({ args: ['sh', '-c', `${label}; exec sleep 1000`] })
    const id = t.id()
    const run = spawn(runtimePath, ['--root', t.root, 'run', '--bundle', path, id])
    const [said] = await once(run.stdout, 'data')
    expect(String(said)).toBe('crio-lxc (unconfined)\n')
    expect(t.read(`/proc/${run.pid}/attr/current`)).toBe('crio-lxc (unconfined)\n')
    await t.ok(['kill', id, 'KILL'])
    expect((await once(run, 'exit'))[0]).toBe(137)
  })

  it("process.apparmorProfile is the container's, and one that knows the name takes signals", async () => {
    const apparmorProfile = loadContainerProfile('crio-lxc')
    const { id } = await t.running({ process: { apparmorProfile } })
    expect((await t.ok(['exec', id, 'sh', '-c', label])).stdout).toBe(`${apparmorProfile} (enforce)\n`)
    await t.ok(['kill', id, 'KILL'])
    await waitFor(async () => (await t.state(id)).status === 'stopped')
    await t.ok(['delete', id])
  })

  it('one that knows "unconfined" alone refuses kill, which says why, and not delete --force', async () => {
    const apparmorProfile = loadContainerProfile('unconfined')
    const { id } = await t.running({ process: { apparmorProfile } })
    const refused = await t.runtime(['kill', id, 'TERM'])
    expect(refused.exitCode).toBe(1)
    expect(messageOf(refused)).toMatch(
      /a security module forbids it: the profile of the container has to allow signals from "crio-lxc \(unconfined\)"$/,
    )
    await t.ok(['delete', '--force', id])
    t.expectNothingLeft()
  })
})
