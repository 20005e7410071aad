/**
 * A container with CAP_SYS_PTRACE looks into its pid namespace while a sibling, which shares that and its user namespace,
 * is created, entered and started (CVE-2016-9962). ROUNDS says how often: npm run test:security does it 2,000 times.
 */
import { copyFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle, BundleOptions } from '../support/bundle.ts'
import { type Created, useContainers } from '../support/containers.ts'
import { program } from '../support/programs.ts'
import { requires } from '../support/requires.ts'
import { messageOf } from '../support/runtime.ts'
import { type Hooks, type Spec, setNamespace } from '../support/spec.ts'
import { giveImage, mapIds } from '../support/user-namespace.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root')
const t = useContainers()

const ROUNDS = Number(process.env.ROUNDS ?? 40)

/** A container in a user namespace of its own that lies in wait. */
async function lurk(args: readonly string[], enter: (spec: Spec) => void = mapIds): Promise<Created> {
  const bundle = await t.bundle({ args: ['/tracer', ...args], spec: enter })
  copyFileSync(program('tracer'), join(bundle.rootfs, 'tracer'))
  const sets = bundle.spec.process.capabilities
  for (const set of Object.values(sets ?? {})) set.push('CAP_SYS_PTRACE', 'CAP_KILL')
  bundle.writeConfig(bundle.spec)
  giveImage(bundle)
  const created = await t.running(bundle)
  await waitFor(() => created.result.output().includes('ready'), { what: 'the tracer' })
  return created
}

/** A container in the namespaces of another. */
async function sibling({ pid }: Created, options: BundleOptions = {}): Promise<Bundle> {
  const bundle = await t.bundle({
    args: ['sleep', '1000'],
    ...options,
    spec: (spec) => {
      mapIds(spec)
      for (const type of ['user', 'pid']) setNamespace(spec, type, `/proc/${pid}/ns/${type}`)
      options.spec?.(spec)
    },
  })
  giveImage(bundle)
  return bundle
}

/** What the tracer got; of a process that exits when `exiting`, which may have become the container's own program before. */
const caught = ({ result }: Created, { exiting = false } = {}): string[] =>
  result
    .output()
    .split('\n')
    .filter((line) => line && line !== 'ready' && (exiting || !line.endsWith(' exiting')))

function everyHook(more: { timeout?: number } = {}): Hooks {
  const hook = { path: '/bin/busybox', args: ['busybox', 'true'], ...more }
  return {
    prestart: [hook],
    createRuntime: [hook],
    createContainer: [hook],
    startContainer: [hook],
    poststart: [hook],
    poststop: [hook],
  }
}

describe('nothing that the runtime puts into shared user and pid namespaces can be looked into or traced', () => {
  it.each<[string, (spec: Spec) => void]>([
    ['create', () => undefined],
    ['create with hooks at every point', (spec) => Object.assign(spec, { hooks: everyHook() })],
    [
      'create as another user with a filter',
      (spec) => {
        Object.assign(spec.process, { user: { uid: 1000, gid: 1000 }, noNewPrivileges: true })
        spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW' }
      },
    ],
  ])(`%s, ${ROUNDS} times`, { timeout: 60_000 + ROUNDS * 1000 }, async (_, change) => {
    const tracer = await lurk(['look'])
    const bundle = await sibling(tracer, { spec: change })
    const id = t.id()
    for (let n = 0; n < ROUNDS; n++) {
      await t.ok(['create', '--bundle', bundle.path, id])
      const starts = n % 2 > 0
      if (starts) await t.ok(['start', id])
      await t.ok(['delete', '--force', id])
      expect(caught(tracer)).toEqual([])
    }
  })

  it(`delete of a container that was not started, ${ROUNDS} times`, { timeout: 60_000 + ROUNDS * 1000 }, async () => {
    const tracer = await lurk(['look'])
    const bundle = await sibling(tracer)
    const id = t.id()
    for (let n = 0; n < ROUNDS; n++) {
      await t.ok(['create', '--bundle', bundle.path, id])
      await t.ok(['delete', '--force', id])
      expect(caught(tracer, { exiting: true })).toEqual([])
    }
  })
})

describe('nor what exec puts there', () => {
  // runc's exec can be looked into for a moment, which a busy machine makes long enough.
  requires('own-runtime')

  it(`exec, ${ROUNDS} times`, { timeout: 60_000 + ROUNDS * 1000 }, async () => {
    const tracer = await lurk(['look'])
    const { id } = await t.running(await sibling(tracer))
    for (let n = 0; n < ROUNDS; n++) {
      await t.ok(['exec', ...(n % 2 ? ['--user', '1000:1000'] : []), id, 'true'])
      expect(caught(tracer)).toEqual([])
    }
  })
})

describe('a sibling that stops whatever appears', () => {
  requires('own-runtime')
  const timeouts = ['--create-timeout', '2s', '--start-timeout', '2s']

  /** Whoever is stopped: a process of init, one that enters to become a hook, for which there are 30 s, or the hook. */
  const tooLong = /it took longer than (?:2000|30000) ms|it ran longer than its timeout of 2 s/

  it.each<[string, (spec: Spec) => void]>([
    ['', () => undefined],
    [' with hooks at every point', (spec) => Object.assign(spec, { hooks: everyHook({ timeout: 2 }) })],
  ])(
    'makes create%s fail at its time-out, with a sentence, and nothing stays',
    { timeout: 120_000 },
    async (_, change) => {
      const tracer = await lurk(['stop'])
      const bundle = await sibling(tracer, { spec: change })
      const id = t.id()
      const create = () => t.runtime([...timeouts, 'create', '--bundle', bundle.path, id], { timeoutMs: 60_000 })
      let result = await create()
      // On a busy machine the tracer may come too late.
      for (let tries = 1; result.exitCode === 0 && tries < 10; tries++) {
        await t.ok(['delete', '--force', id])
        result = await create()
      }
      expect(result).toMatchObject({ exitCode: 1, timedOut: false })
      expect(messageOf(result)).toMatch(tooLong)
      expect(caught(tracer)).toContainEqual(expect.stringMatching(/^stopped /))
    },
  )

  it('makes exec fail in the same way', async () => {
    const tracer = await lurk(['look'])
    const { id, pid } = await t.running(await sibling(tracer))
    await t.ok(['exec', '--detach', tracer.id, '/tracer', 'stop'])
    const result = await t.runtime([...timeouts, 'exec', id, 'sh', '-c', 'exit 7'], { timeoutMs: 10_000 })
    // A program that has begun may be stopped for as long as they like.
    if (!result.timedOut) expect([7, 255]).toContain(result.exitCode)
    if (result.exitCode === 255) expect(messageOf(result)).toMatch(/it took longer than 2000 ms/)
    if (result.timedOut) return
    expect(JSON.parse((await t.ok(['ps', '--format', 'json', id])).stdout)).toEqual([pid])
  })
})

describe('the plan of init', () => {
  requires('own-runtime')

  it('cannot be changed once it is complete, whoever gets hold of it', async () => {
    const { pid } = await t.create()
    const files = readdirSync(`/proc/${pid}/map_files`).map((name) => `/proc/${pid}/map_files/${name}`)
    const plans = files.filter((path) => readlinkSync(path).startsWith('/memfd:plan'))
    expect(plans.length).toBeGreaterThan(0)
    for (const path of plans) expect(() => writeFileSync(path, 'x', { flag: 'r+' })).toThrow('EPERM')
  })
})
