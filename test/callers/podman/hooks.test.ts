/**
 * OCI hooks as an operator configures them: oci-hooks(5), a directory that podman is given. Those of poststop are run by
 * podman itself and never reach the runtime.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HookRecorder, hookPoints } from '../../support/hook-recorder.ts'
import { isRunc } from '../../support/runtime.ts'
import type { Hook, HookPoint } from '../../support/spec.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()

interface HooksDirectory {
  readonly r: HookRecorder
  /** Flags of podman itself, before its command. */
  readonly global: readonly string[]
  /** Flags of `podman run`. */
  readonly run: readonly string[]
}

/** A hooks directory with one file for each hook. */
function hooksDirectory(hooks: (recorder: HookRecorder) => Partial<Record<HookPoint, Hook>>): HooksDirectory {
  const r = new HookRecorder(podman.hostDirectory())
  const directory = podman.hostDirectory()
  for (const [stage, hook] of Object.entries(hooks(r)))
    writeFileSync(
      join(directory, `${stage}.json`),
      JSON.stringify({ version: '1.0.0', hook, when: { always: true }, stages: [stage] }),
    )
  return { r, global: ['--hooks-dir', directory], run: ['--volume', `${r.directory}:${r.directory}`] }
}

describe('podman --hooks-dir', () => {
  it('has the hooks of every stage run, in the order of the lifecycle', async () => {
    const { r, global, run } = hooksDirectory((r) => Object.fromEntries(hookPoints.map((at) => [at, r.record(at)])))
    const name = podman.name()
    await podman.ok([...global, ...podman.runArguments(['--name', name, ...run], ['true'])])
    await podman.ok([...global, 'rm', name])
    const [first, second, ...rest] = r.order()
    // podman 5 makes prestart hooks createRuntime hooks, in the order of the files.
    expect([first, second].sort()).toEqual(['createRuntime', 'prestart'])
    expect(rest).toEqual(isRunc ? ['createContainer', 'poststart', 'startContainer', 'poststop'] : hookPoints.slice(2))
    expect(r.state('createRuntime').annotations).toHaveProperty('org.opencontainers.image.stopSignal')
  })

  it('shows what a failing hook said, and leaves no container behind', async () => {
    const { global, run } = hooksDirectory((r) => ({ createRuntime: r.fail() }))
    const name = podman.name()
    const result = await podman.call([...global, ...podman.runArguments(['--rm', '--name', name, ...run], ['true'])])
    expect(result.exitCode).toBe(126)
    expect(result.stderr).toContain('the real cause')
    expect(await podman.ok(['ps', '--all', '--quiet', '--filter', `name=${name}`])).toBe('')
  })

  it('takes a container that a failing poststart hook has removed for one that has failed', async () => {
    const { global, run } = hooksDirectory((r) => ({ poststart: r.fail() }))
    const name = podman.name()
    const result = await podman.call([...global, ...podman.runArguments(['--name', name, ...run], ['sleep', '1000'])])
    expect(result.exitCode).toBe(126)
    expect(result.stderr).toContain('the real cause')
    const id = await podman.id(name)
    await podman.ok([...global, 'rm', '--force', '--time', '0', name])
    await podman.expectNothingLeft(id)
  })
})
