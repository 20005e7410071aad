/** The npm package, as a program has it that knows nothing of this repository. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { killedCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { LibraryProject } from '../../support/library-project.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime', 'node-22')
const t = useContainers()
const repository = resolve(import.meta.dirname, '../../..')
let project: LibraryProject

beforeAll(() => {
  project = new LibraryProject(t.directory)
})

/** The program of the document, as it stands there, and what it has beside. */
function documented(): readonly [program: string, ...others: string[]] {
  const text = readFileSync(join(repository, 'docs/library.md'), 'utf8')
  const [program = '', ...others] = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return [program, ...others]
}

/** A create that never ends; the program finds its hook by the number in the id. */
const hanging = (id: string): BundleOptions => ({
  spec: (spec) => {
    spec.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', id.replace(/\D/g, '')] }] }
  },
})

describe('the tarball', () => {
  it('has these files, the programs executable, and a size that is no surprise', () => {
    const listed = execFileSync('tar', ['-tvzf', project.tarball], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([mode = '', , , , , path]) => [path, mode])
      .sort()
    expect(listed).toEqual([
      ['package/LICENSE', '-rw-r--r--'],
      ['package/NOTICE', '-rw-r--r--'],
      ['package/README.md', '-rw-r--r--'],
      ['package/index.d.ts', '-rw-r--r--'],
      ['package/index.js', '-rw-r--r--'],
      ['package/libexec/crio-lxc/crio-lxc-hook', '-rwxr-xr-x'],
      ['package/libexec/crio-lxc/crio-lxc-init', '-rwxr-xr-x'],
      ['package/libexec/crio-lxc/crio-lxc-start', '-rwxr-xr-x'],
      ['package/package.json', '-rw-r--r--'],
      ['package/worker.js', '-rw-r--r--'],
    ])
    // 0.7 MB: the hook program, which has its own engine, is two thirds of it.
    expect(statSync(project.tarball).size).toBeGreaterThan(300_000)
    expect(statSync(project.tarball).size).toBeLessThan(1_000_000)
  })

  it('runs nothing when it is installed, and needs koffi alone', () => {
    const manifest = JSON.parse(readFileSync(join(project.installed, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: 'crio-lxc', type: 'module', engines: { node: '>=22' } })
    expect(manifest).not.toHaveProperty('scripts')
    expect(Object.keys(manifest.dependencies)).toEqual(['koffi'])
  })
})

describe('a program that has installed it', () => {
  it('is the one of docs/library.md: it makes, starts, enters, watches and deletes a container in 40 lines', async () => {
    const [program, ...others] = documented()
    expect(program.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
    project.add('documented.ts', program)
    project.add('others.ts', ["import { planAll } from 'crio-lxc'", ...others].join('\n'))
    expect(project.typeCheck('documented.ts', 'others.ts')).toBe('')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const root = join(t.hostDirectory(), 'root')
    const id = t.id()
    expect(project.run('documented.ts', bundle.path, id, root)).toEqual({
      code: 0,
      stdout: `exec has ended with 7\n${id} is stopped\n${id} is gone\n`,
      stderr: '',
    })
    expect(readFileSync(`${root}.log`, 'utf8')).toContain('created, init is pid')
    t.expectNothingLeft()
  })

  it('has all of the seed', async () => {
    project.addFixture('seed.ts')
    expect(project.typeCheck('seed.ts')).toBe('')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    expect(project.run('seed.ts', bundle.path, t.hostDirectory(), t.id())).toEqual({
      code: 0,
      stdout: 'all of the seed\n',
      stderr: '',
    })
    t.expectNothingLeft()
  })

  it('has two roots, gives up calls half way, and ends in the middle of one', async () => {
    project.addFixture('two-roots.ts')
    expect(project.typeCheck('two-roots.ts')).toBe('')
    const id = t.id()
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const hooked = await t.bundle(hanging(id))
    const libexec = join(repository, 'dist/libexec/crio-lxc')
    const directory = t.hostDirectory()
    expect(project.run('two-roots.ts', bundle.path, hooked.path, directory, id, t.id(), libexec)).toEqual({
      code: 3,
      stdout: 'two roots\n',
      stderr: '',
    })
    expect(readdirSync(join(directory, 'first'))).toEqual([])
    expect(readdirSync(join(directory, 'second'))).toEqual([])
    t.expectNothingLeft()
  })

  it('gives up any call, whatever it waits for, and at any moment', async () => {
    project.addFixture('aborts.ts')
    expect(project.typeCheck('aborts.ts')).toBe('')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    expect(project.run('aborts.ts', bundle.path, t.hostDirectory(), t.id(), runtimePath)).toEqual({
      code: 0,
      stdout: 'given up\n',
      stderr: '',
    })
    t.expectNothingLeft()
  })

  it.each(['run', 'runAsInit'] as const)('knows its children and what they are not (%s)', async (how) => {
    project.addFixture('parents.ts')
    expect(project.typeCheck('parents.ts')).toBe('')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const id = t.id()
    const hooked = await t.bundle(hanging(id))
    const root = t.hostDirectory()
    expect(project[how]('parents.ts', bundle.path, hooked.path, root, id, runtimePath)).toEqual({
      code: 0,
      stdout: 'parents\n',
      stderr: '',
    })
    t.expectNothingLeft()
  })

  it('is told by the compiler what the seed would not take either', () => {
    project.add(
      'wrong.ts',
      "import { Runtime } from 'crio-lxc'\nvoid new Runtime('a').create({})\nvoid new Runtime('a').kill('SIGNONE')\n",
    )
    const problems = project.typeCheck('wrong.ts')
    expect(problems).toContain("wrong.ts(2,30): error TS2741: Property 'bundle' is missing")
    expect(problems).toContain('wrong.ts(3,28): error TS2345')
  })
})

describe('a program in a cgroup that was killed before', () => {
  requires('cgroup-v2')

  it('leaves no process that died at its birth', async () => {
    project.addFixture('killed-cgroup.ts')
    expect(project.typeCheck('killed-cgroup.ts')).toBe('')
    const bundle = await t.bundle({ args: ['sleep', '1000'] })
    const args = [bundle.path, t.hostDirectory(), t.id(), killedCgroup(t)]
    expect(project.run('killed-cgroup.ts', ...args)).toEqual({ code: 0, stdout: 'nothing unborn\n', stderr: '' })
    t.expectNothingLeft()
  })
})
