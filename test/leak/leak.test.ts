import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compileSpawnTimer, type SpawnTimer, startSpawnTimer } from '../bench/spawn-timer.ts'
import { makeBundle } from '../support/bundle.ts'
import { outputs, runtimePath } from '../support/runtime.ts'
import type { Spec } from '../support/spec.ts'
import { findLeftover, nothingLeft, takeCensus } from './host-census.ts'

const directory = mkdtempSync('/var/tmp/crio-lxc-leak-')
const root = mkdtempSync('/run/crio-lxc-leak-')
const { path: bundle, spec: goodSpec } = await makeBundle(directory, { args: ['/bin/sleep', '1000'] })
const log = join(directory, 'log')
// Every call is made by a child subreaper, as an engine's is. Its stdio is /dev/null, which a runtime might hand over
// to the container's user.
const callerExecutable = compileSpawnTimer(directory)
const callers = Array.from({ length: 20 }, () => startSpawnTimer(callerExecutable, '/dev/null'))
const subreapers = callers.map(({ pid }) => pid)

afterAll(async () => {
  for (const id of readdirSync(root)) await call('delete', '--force', id)
  for (const caller of callers) await caller.close()
  for (const made of [directory, root, outputs()]) if (made) rmSync(made, { recursive: true, force: true })
})

test('200 containers in a row leave nothing behind', { timeout: 180_000 }, async () => {
  const before = takeCensus(subreapers)
  for (let n = 0; n < 200; n++) {
    const id = `leak-row-${n}`
    await succeed('create', '--bundle', bundle, id)
    await succeed('start', id)
    // Every other one has its init run on until delete, which then has to kill it.
    if (n % 2 === 0) await succeed('kill', id, 'KILL')
    await succeed('delete', '--force', id)
  }
  expect(await findLeftover(before, subreapers)).toEqual(nothingLeft(before))
})

test('20 containers at once leave nothing behind', { timeout: 120_000 }, async () => {
  const before = takeCensus(subreapers)
  const ids = callers.map((_, n) => `leak-once-${n}`)
  const onEach = (verb: (caller: SpawnTimer, id: string) => Promise<void>) =>
    Promise.all(callers.map((on, n) => verb(on, ids[n] ?? expect.unreachable())))
  await onEach(async (on, id) => {
    await succeedOn(on, 'create', '--bundle', bundle, '--pid-file', join(directory, id), id)
    await succeedOn(on, 'start', id)
    await succeedOn(on, 'exec', id, '/bin/true')
  })
  const pids = ids.map((id) => readFileSync(join(directory, id), 'utf8'))
  expect(new Set(pids).size).toBe(20)
  for (const pid of pids) expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('/bin/sleep\x001000\x00')
  expect(await findLeftover(before, subreapers, ['mounts']), 'what the host sees of running containers').toEqual(
    nothingLeft(before),
  )
  await onEach((on, id) => succeedOn(on, 'delete', '--force', id))
  expect(await findLeftover(before, subreapers)).toEqual(nothingLeft(before))
})

test('50 containers deleted between create and start leave nothing behind', { timeout: 120_000 }, async () => {
  const before = takeCensus(subreapers)
  for (let n = 0; n < 50; n++) {
    await succeed('create', '--bundle', bundle, `leak-created-${n}`)
    await succeed('delete', '--force', `leak-created-${n}`)
  }
  expect(await findLeftover(before, subreapers)).toEqual(nothingLeft(before))
})

/** Some are refused at once; the last ones fail when the namespaces, the cgroup and most mounts exist already. */
const badBundles: Record<string, (spec: Spec) => unknown> = {
  'config.json that is no JSON': () => '{"ociVersion": "1.0.2",',
  'config.json that is an array': () => [],
  'a rootfs that is missing': (spec) => ({ ...spec, root: { path: 'nowhere' } }),
  'empty args': (spec) => ({ ...spec, process: { ...spec.process, args: [] } }),
  'a network namespace path that is missing': (spec) => withNamespacePath(spec, '/nowhere/net'),
  'a network namespace path that is no namespace': (spec) => withNamespacePath(spec, '/dev/null'),
  'a bind mount without its source': (spec) =>
    withMount(spec, { destination: '/mnt', type: 'bind', source: '/nowhere', options: ['bind'] }),
  'a filesystem type that the kernel does not have': (spec) =>
    withMount(spec, { destination: '/mnt', type: 'nowherefs', source: 'none' }),
  'an executable that is missing': (spec) => ({ ...spec, process: { ...spec.process, args: ['/bin/nowhere'] } }),
  'an executable that is a directory': (spec) => ({ ...spec, process: { ...spec.process, args: ['/bin'] } }),
}

test('50 failing creates leave nothing behind', { timeout: 120_000 }, async () => {
  const bad = Object.entries(badBundles).map(([what, edit], n) => {
    const path = join(directory, `bad-${n}`)
    cpSync(bundle, path, { recursive: true, verbatimSymlinks: true })
    writeSpec(path, edit(structuredClone(goodSpec)))
    return { what, path }
  })
  const before = takeCensus(subreapers)
  for (let n = 0; n < 50; n++) {
    const { what, path } = bad[n % bad.length] ?? expect.unreachable()
    expect(await call('create', '--bundle', path, `leak-bad-${n}`), what).toBeGreaterThan(0)
  }
  expect(await findLeftover(before, subreapers)).toEqual(nothingLeft(before))
})

function withNamespacePath(spec: Spec, path: string): Spec {
  const others = spec.linux.namespaces.filter(({ type }) => type !== 'network')
  return { ...spec, linux: { ...spec.linux, namespaces: [...others, { type: 'network', path }] } }
}

function withMount(spec: Spec, mount: Spec['mounts'][number]): Spec {
  return { ...spec, mounts: [...spec.mounts, mount] }
}

function writeSpec(path: string, spec: unknown): void {
  writeFileSync(join(path, 'config.json'), typeof spec === 'string' ? spec : JSON.stringify(spec))
}

/** Runs the runtime and returns its exit code. */
async function call(...args: string[]): Promise<number> {
  return (await caller().call([runtimePath, '--log', log, '--root', root, ...args])).status
}

async function succeed(...args: string[]): Promise<void> {
  await succeedOn(caller(), ...args)
}

async function succeedOn(on: SpawnTimer, ...args: string[]): Promise<void> {
  const { status } = await on.call([runtimePath, '--log', log, '--root', root, ...args])
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${readFileSync(log, 'utf8').slice(-1000)}`)
}

function caller(): SpawnTimer {
  return callers[0] ?? expect.unreachable()
}
