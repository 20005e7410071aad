/** Resources that are really used up, each under a limit that the test sets itself. */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { isRunc, messageOf, type Result } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'
import { badMessage } from './support/aftermath.ts'

requires('root')
const t = useContainers()

/** A tmpfs as the runtime root of a test. */
function tmpfsRoot(options: string): string {
  const path = t.hostDirectory('small-root-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', path])
  // The check for leftovers looks at the mounts below the file's directory.
  t.defer(() => void execFileSync('umount', [path]))
  return path
}

const call = (root: string, args: readonly string[], through: readonly string[] = []): Promise<Result> =>
  t.runtime(['--root', root, ...args], { through })

it.each(['size=4k', 'size=8k', 'size=12k', 'size=16k', 'nr_inodes=2', 'nr_inodes=4', 'nr_inodes=6'])(
  'a runtime root with %s: create works or fails without a trace, and works when there is room',
  async (options) => {
    const root = t.hostDirectory('small-root-')
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=711,${options}`, 'none', root])
    try {
      const bundle = await t.bundle({ args: ['sleep', '1000'] })
      const id = t.id()
      const result = await call(root, ['create', '--bundle', bundle.path, id])
      if (result.exitCode === 0) expect(await call(root, ['delete', '--force', id])).toMatchObject({ exitCode: 0 })
      else if (!isRunc) expect(badMessage(result)).toBeUndefined()
      if (!isRunc) expect(readdirSync(root)).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=1m,nr_inodes=1000', root])
      const retry = await call(root, ['create', '--bundle', bundle.path, id])
      expect(retry, retry.stderr).toMatchObject({ exitCode: 0 })
      expect(await call(root, ['start', id])).toMatchObject({ exitCode: 0 })
      expect(await call(root, ['delete', '--force', id])).toMatchObject({ exitCode: 0 })
    } finally {
      execFileSync('umount', [root])
    }
    t.expectNothingLeft()
  },
)

it('a runtime root that becomes full: a container of it still starts, execs and is deleted', async () => {
  const root = tmpfsRoot('mode=711,size=1m')
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const id = t.id()
  expect(await call(root, ['create', '--bundle', bundle.path, id])).toMatchObject({ exitCode: 0 })
  try {
    writeFileSync(join(root, 'filler'), Buffer.alloc(2 << 20))
  } catch {
    // It is full now.
  }
  expect(await call(root, ['start', id])).toMatchObject({ exitCode: 0 })
  expect(await call(root, ['exec', id, 'true'])).toMatchObject({ exitCode: 0 })
  expect(await call(root, ['kill', id, 'KILL'])).toMatchObject({ exitCode: 0 })
  await waitFor(async () => /"status": "stopped"/.test((await call(root, ['state', id])).stdout))
  expect(await call(root, ['delete', id])).toMatchObject({ exitCode: 0 })
  expect(readdirSync(root)).toEqual(['filler'])
})

it('a read-only runtime root: create is refused, state still answers', async () => {
  const root = tmpfsRoot('mode=711,size=1m')
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  const [old, id] = [t.id(), t.id()]
  expect(await call(root, ['create', '--bundle', bundle.path, old])).toMatchObject({ exitCode: 0 })
  execFileSync('mount', ['-o', 'remount,ro', root])
  const result = await call(root, ['create', '--bundle', bundle.path, id])
  expect(result.exitCode).toBe(1)
  expect(result.stderr).toMatch(/read-only file ?system/i)
  expect((await call(root, ['state', old])).stdout).toContain('"status": "created"')
  execFileSync('mount', ['-o', 'remount,rw', root])
  expect(await call(root, ['delete', '--force', old])).toMatchObject({ exitCode: 0 })
})

it.each([0, 1000, 4096, 20_000])('files of at most %i bytes', async (limit) => {
  const bundle = await t.bundle({ args: ['true'] })
  const id = t.id()
  const through = ['prlimit', `--fsize=${limit}`]
  const result = await t.runtime(['create', '--bundle', bundle.path, id], { through })
  if (result.exitCode === 0) expect(await t.state(id)).toMatchObject({ status: 'created' })
  // SIGXFSZ may kill a peer that writes; what the runtime says may have no room either.
  else if (!isRunc && limit > 0)
    expect(messageOf(result)).toMatch(/: file too large: raise the limit of file sizes \(ulimit -f\)$/)
  await t.ok(['delete', '--force', id])
  t.expectNothingLeft()
  await t.create(bundle, { id })
})
