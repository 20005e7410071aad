import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { everywhere, useHooks } from '../../support/hook-recorder.ts'
import { commandLines, isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()
const withHooks = useHooks(t)

describe('a hook that fails', () => {
  it('is named with its field, its path, how it ended and both ends of its stderr, in one line', async () => {
    const { bundle } = await withHooks((r) => ({ createRuntime: [r.shell('exec true'), r.fail()] }))
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.stderr).toBe(
      'hooks.createRuntime[1]: /bin/sh failed with exit code 3: first words … the real cause\n',
    )
  })

  it.each([
    ['kill -9 $$', 'hooks.prestart[0]: /bin/sh was killed by signal 9\n'],
    [
      'head -c 3000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo end >&2; exit 1',
      /^hooks\.prestart\[0\]: .{300,400} … end\n$/,
    ],
    ['printf "a\\033[31m\\rb\\000c\\n" >&2; exit 1', /: a \[31m … b c\n$/],
  ])('%s', async (script, message) => {
    const { bundle } = await withHooks((r) => ({ prestart: [r.shell(script)] }))
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.stderr).toMatch(message)
  })

  it('poststart stops the container and deletes it, with its poststop hooks', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sh', '-c', `echo program >> ${r.directory}/order; exec sleep 1000`]
      return { poststart: [r.shell('sleep 0.2; exit 3'), r.record('never')], poststop: [r.record('poststop')] }
    })
    const { id, pid } = await t.create(bundle)
    const result = await t.runtime(['start', id])
    expect(result).toMatchObject({ exitCode: 1, stderr: 'hooks.poststart[0]: /bin/sh failed with exit code 3\n' })
    expect(isAlive(pid)).toBe(false)
    expect(await t.runtime(['state', id])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/container does not exist/),
    })
    expect(r.order()).toEqual(['program', 'poststop'])
    t.expectNothingLeft()
  })

  it('poststart that cannot be run does the same', async () => {
    const { bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sleep', '1000']
      return { poststart: [r.record('never')], poststop: [r.record('poststop')] }
    })
    const { id, pid } = await t.create(bundle)
    const result = await t.runtime(['--container-hook', '/no/such/program', 'start', id])
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('/no/such/program') })
    expect(isAlive(pid)).toBe(false)
    t.expectNothingLeft()
  })

  it('poststart fails run, which leaves nothing', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['sleep', '1000']
      return { poststart: [r.fail()], poststop: [r.record('poststop')] }
    })
    for (const flags of [[], ['--detach']]) {
      const result = await t.run(bundle, { flags })
      expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the real cause') })
      t.expectNothingLeft()
    }
    expect(r.order()).toEqual(['poststop', 'poststop'])
  })

  it('poststop is logged, the others run, and delete succeeds', async () => {
    const { r, bundle } = await withHooks((r) => ({
      poststop: [r.fail(), { path: '/no/such/hook' }, r.record('third')],
    }))
    const { id } = await t.stopped(bundle)
    const file = join(r.directory, 'log')
    expect(await t.ok(['--log', file, 'delete', id])).toMatchObject({ stderr: '' })
    expect(r.order()).toEqual(['third'])
    expect(readFileSync(file, 'utf8')).toMatch(
      /level=warning msg="hooks\.poststop\[0\]: .*the real cause"\n.*hooks\.poststop\[1\]: \/no\/such\/hook could not be run: no such file or directory/,
    )
    t.expectNothingLeft()
  })

  it.each(['createRuntime', 'createContainer', 'startContainer'] as const)(
    '%s is killed after its timeout with everything it started in its process group',
    async (point) => {
      const { r, bundle } = await withHooks((r) => ({
        [point]: [{ ...r.shell(`echo waiting >&2; sleep 98765 & wait`), timeout: 1 }],
      }))
      const id = t.id()
      const create = await t.runtime(['create', '--bundle', bundle.path, id])
      const result = point === 'startContainer' ? await t.runtime(['start', id]) : create
      expect(result.stderr).toBe(
        `hooks.${point}[0]: /bin/sh was killed because it ran longer than its timeout of 1 s: waiting\n`,
      )
      expect(result.durationMs).toBeLessThan(4000)
      expect(r.order()).toEqual([])
      expect([...commandLines().values()].filter((line) => line.includes('sleep 98765'))).toEqual([])
    },
  )

  it('an executable that is missing is found after the hooks of create, and poststop hooks follow', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.process.args = ['/no/such/program']
      return { createRuntime: [r.record('createRuntime')], poststop: [r.record('poststop')] }
    })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.stderr).toMatch(/\/no\/such\/program: no such file or directory/)
    expect(r.order()).toEqual(['createRuntime', 'poststop'])
    t.expectNothingLeft()
  })

  it('what is refused before the environment exists runs no hook', async () => {
    const { r, bundle } = await withHooks((r, spec) => {
      spec.mounts.push({ destination: '/x', type: 'bind', source: '/no/such/source', options: ['bind'] })
      return everywhere((at) => [r.record(at)])
    })
    expect(await t.runtime(['create', '--bundle', bundle.path, t.id()])).toMatchObject({ exitCode: 1 })
    expect(r.order()).toEqual([])
  })
})
