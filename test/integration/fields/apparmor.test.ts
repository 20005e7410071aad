/** process.apparmorProfile on a kernel that enforces it: the label, and what it refuses. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root', 'apparmor')
const t = useContainers()

/** Loads a profile that allows everything but to write to /tmp/kept, for the time of the test. */
function loadProfile(): string {
  const name = t.id()
  const file = join(t.hostDirectory(), 'profile')
  writeFileSync(
    file,
    `profile ${name} flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  signal,
  ptrace,
  unix,
  deny /tmp/kept w,
}
`,
  )
  execFileSync('apparmor_parser', ['--add', '--skip-cache', file])
  t.defer(() => {
    execFileSync('apparmor_parser', ['--remove', file])
  })
  return name
}

function writable(spec: Spec): void {
  spec.root.readonly = false
}

const label = 'cat /proc/self/attr/current'
const write = 'echo x >/tmp/kept; echo $?; echo x >/tmp/other; echo $?'

describe('process.apparmorProfile', () => {
  it('confines the process from its first instruction, and what it starts', async () => {
    const apparmorProfile = loadProfile()
    const result = await t.run({
      args: ['sh', '-c', `${label}; ${write}`],
      process: { apparmorProfile },
      spec: writable,
    })
    expect(result.stdout).toBe(`${apparmorProfile} (enforce)\n1\n0\n`)
    expect(result.stderr).toMatch(/\/tmp\/kept: Permission denied/)
  })

  it('confines a process of exec', async () => {
    const apparmorProfile = loadProfile()
    const { id } = await t.running({ process: { apparmorProfile }, spec: writable })
    const { stdout } = await t.ok(['exec', id, 'sh', '-c', `${label}; ${write}`])
    expect(stdout).toBe(`${apparmorProfile} (enforce)\n1\n0\n`)
  })

  it('holds with no_new_privs and for a user without capabilities', async () => {
    const apparmorProfile = loadProfile()
    const process = { apparmorProfile, noNewPrivileges: true, user: { uid: 1000, gid: 1000 }, capabilities: {} }
    const result = await t.run({ args: ['sh', '-c', label], process })
    expect(result.stdout).toBe(`${apparmorProfile} (enforce)\n`)
  })

  it('that is not loaded is an error which names it, and nothing runs', async () => {
    const bundle = await t.bundle({ process: { apparmorProfile: 't-missing' } })
    const id = t.id()
    const result = await t.runtime(['run', '--bundle', bundle.path, id])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/apparmor.*(t-missing|no such file)/i)
    await t.runtime(['delete', '--force', id])
    t.expectNothingLeft()
  })

  it('that is absent leaves the process unconfined', async () => {
    expect((await t.run({ args: ['sh', '-c', label] })).stdout).toBe('unconfined\n')
  })
})
