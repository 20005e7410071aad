/** What of linux.seccomp.flags comes to the kernel, and what it does there. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'
import { Agent, ERRNO } from '../../support/seccomp-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

// runc 1.1.5 drops TSYNC, does not know WAIT_KILLABLE_RECV, and has no default.
requires('root', 'own-runtime')
const t = useContainers()

/** `/NAME getppid` under this filter. */
async function bundleOf(seccomp: object, name = 'syscall'): Promise<Bundle> {
  const bundle = await t.bundle({
    args: [`/${name}`, 'getppid'],
    spec: (spec) => {
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...seccomp }
    },
  })
  copyFileSync(program('syscall'), join(bundle.rootfs, name))
  return bundle
}

const rule = (action: string): object => ({ syscalls: [{ names: ['getppid'], action }] })
const [TSYNC, LOG, SPEC_ALLOW, NEW_LISTENER, TSYNC_ESRCH, WAIT_KILLABLE_RECV] = [1, 2, 4, 8, 16, 32]

describe('linux.seccomp.flags in the call of seccomp(2)', () => {
  const file = join(t.directory, 'trace')
  const through = ['strace', '-f', '-X', 'raw', '-e', 'trace=seccomp', '-o', file]

  /** The second argument of the calls that load a filter, not of those that ask whether a flag is known. */
  const loaded = (): number[] =>
    [...t.read(file).matchAll(/seccomp\(0x1, (\w+), (?!NULL|0,|0x0\b).*= \d/g)].map(([, flags]) => Number(flags))

  it.each<[object, number]>([
    [{}, SPEC_ALLOW],
    [{ flags: [] }, 0],
    [{ flags: ['SECCOMP_FILTER_FLAG_TSYNC'] }, TSYNC],
    [{ flags: ['SECCOMP_FILTER_FLAG_LOG'] }, LOG],
    [{ flags: ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] }, SPEC_ALLOW],
    [{ flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'] }, LOG | TSYNC],
    // The kernel takes it with a listener only.
    [{ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }, 0],
  ])('%j', async (flags, expected) => {
    const result = await t.run(await bundleOf({ ...rule('SCMP_ACT_ERRNO'), ...flags }), { through })
    expect(result).toMatchObject({ exitCode: 0, stdout: '-1 1\n' })
    expect(loaded()).toEqual([expected])
  })

  it('with an agent', async () => {
    const agent = await new Agent(t).listening()
    const flags = ['TSYNC', 'LOG', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV'].map((flag) => `SECCOMP_FILTER_FLAG_${flag}`)
    const bundle = await bundleOf({ ...rule('SCMP_ACT_NOTIFY'), listenerPath: agent.path, flags })
    expect(await t.run(bundle, { through })).toMatchObject({ exitCode: 0, stdout: `-1 ${ERRNO}\n` })
    expect(loaded()).toEqual([TSYNC | LOG | SPEC_ALLOW | NEW_LISTENER | TSYNC_ESRCH | WAIT_KILLABLE_RECV])
  })

  it('of exec', async () => {
    const bundle = await bundleOf({ ...rule('SCMP_ACT_ERRNO'), flags: ['SECCOMP_FILTER_FLAG_LOG'] })
    bundle.writeConfig({ ...bundle.spec, process: { ...bundle.spec.process, args: ['sleep', '1000'] } })
    const { id } = await t.running(bundle)
    expect((await t.ok(['exec', id, '/syscall', 'getppid'], { through })).stdout).toBe('-1 1\n')
    expect(loaded()).toEqual([LOG])
  })
})

describe('in the log of the kernel', () => {
  requires('kernel-log')

  const isLogged = (name: string): boolean =>
    new RegExp(`type=1326 .* exe="/${name}"`).test(execFileSync('dmesg', { encoding: 'utf8' }))

  // The kernel drops records when there are many at once.
  it.each<[string, object, object]>([
    [
      'a refused call is written with SECCOMP_FILTER_FLAG_LOG alone',
      rule('SCMP_ACT_ERRNO'),
      { ...rule('SCMP_ACT_ERRNO'), flags: ['SECCOMP_FILTER_FLAG_LOG'] },
    ],
    ['a call is written by SCMP_ACT_LOG alone', rule('SCMP_ACT_ALLOW'), rule('SCMP_ACT_LOG')],
  ])('%s', async (_, silent, logged) => {
    const [silentName, loggedName] = [randomUUID(), randomUUID()]
    const bundles = [await bundleOf(silent, silentName), await bundleOf(logged, loggedName)]
    await waitFor(
      async () => {
        for (const bundle of bundles) expect(await t.run(bundle)).toMatchObject({ exitCode: 0 })
        return isLogged(loggedName)
      },
      { timeoutMs: 20_000, what: `the kernel to write a record of ${loggedName}` },
    )
    expect(isLogged(silentName)).toBe(false)
  })
})

describe('a signal that comes while the agent considers a call', () => {
  const EINTR = 4

  it.each<[string[], string, string]>([
    [[], 'gone', `-1 ${EINTR}\n`],
    [['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'], 'waiting', `-1 ${ERRNO}\n`],
  ])('with flags %j', async (flags, became, stdout) => {
    const agent = await new Agent(t, '--signal').listening()
    const bundle = await bundleOf({ ...rule('SCMP_ACT_NOTIFY'), listenerPath: agent.path, flags })
    expect(await t.run(bundle)).toMatchObject({ exitCode: 0, stdout })
    // A process that is gone does not wait until the agent has said so.
    await waitFor(() => agent.interrupted().length > 0)
    expect(agent.interrupted()).toEqual([became])
  })
})
