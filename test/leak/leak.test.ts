import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeBundle } from '../support/bundle.ts'
import { runtimePath } from '../support/runtime.ts'
import type { Spec } from '../support/spec.ts'
import { findLeftover, nothingLeft, takeCensus } from './host-census.ts'

const directory = mkdtempSync('/var/tmp/crio-lxc-leak-')
const root = mkdtempSync('/run/crio-lxc-leak-')
const { path: bundle, spec: goodSpec } = await makeBundle(directory, { args: ['/bin/sleep', '1000'] })
const log = join(directory, 'log')

afterAll(async () => {
  for (const id of readdirSync(root)) await call('delete', '--force', id)
  rmSync(directory, { recursive: true, force: true })
  rmSync(root, { recursive: true, force: true })
})

test('200 containers in a row leave nothing behind', { timeout: 180_000 }, async () => {
  const before = takeCensus()
  for (let n = 0; n < 200; n++) {
    const id = `leak-row-${n}`
    await succeed('create', '--bundle', bundle, id)
    await succeed('start', id)
    // Every other one has its init run on until delete, which then has to kill it.
    if (n % 2 === 0) await succeed('kill', id, 'KILL')
    await succeed('delete', '--force', id)
  }
  expect(await findLeftover(before)).toEqual(nothingLeft(before))
})

test('20 containers at once leave nothing behind', { timeout: 120_000 }, async () => {
  const before = takeCensus()
  const ids = Array.from({ length: 20 }, (_, n) => `leak-once-${n}`)
  await Promise.all(
    ids.map(async (id) => {
      await succeed('create', '--bundle', bundle, '--pid-file', join(directory, id), id)
      await succeed('start', id)
      await succeed('exec', id, '/bin/true')
    }),
  )
  const pids = ids.map((id) => readFileSync(join(directory, id), 'utf8'))
  expect(new Set(pids).size).toBe(20)
  for (const pid of pids) expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('/bin/sleep\x001000\x00')
  expect(await findLeftover(before, ['mounts']), 'what the host sees of running containers').toEqual(
    nothingLeft(before),
  )
  await Promise.all(ids.map((id) => succeed('delete', '--force', id)))
  expect(await findLeftover(before)).toEqual(nothingLeft(before))
})

test('50 containers deleted between create and start leave nothing behind', { timeout: 120_000 }, async () => {
  const before = takeCensus()
  for (let n = 0; n < 50; n++) {
    await succeed('create', '--bundle', bundle, `leak-created-${n}`)
    await succeed('delete', '--force', `leak-created-${n}`)
  }
  expect(await findLeftover(before)).toEqual(nothingLeft(before))
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
  const before = takeCensus()
  for (let n = 0; n < 50; n++) {
    const { what, path } = bad[n % bad.length] ?? expect.unreachable()
    expect(await call('create', '--bundle', path, `leak-bad-${n}`), what).toBeGreaterThan(0)
  }
  expect(await findLeftover(before)).toEqual(nothingLeft(before))
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

/** Runs the runtime with /dev/null as its stdio, which a runtime might hand over to the container's user; its exit code. */
function call(...args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(runtimePath, ['--log', log, '--root', root, ...args], { stdio: 'ignore' })
    child.once('error', reject)
    child.once('exit', (code, signal) => (code === null ? reject(new Error(`${args[0]}: ${signal}`)) : resolve(code)))
  })
}

async function succeed(...args: string[]): Promise<void> {
  const code = await call(...args)
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${readFileSync(log, 'utf8').slice(-1000)}`)
}
