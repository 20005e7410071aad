import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { productNode } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'

const repository = resolve(import.meta.dirname, '../../..')
const dist = join(repository, 'dist')

let scratch: string
let prefix: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'installation-'))
  prefix = join(scratch, 'prefix')
  const { status, stderr } = spawnSync('cp', ['-a', `${dist}/.`, prefix], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function run(command: string, args: string[], options: { cwd: string; env?: Record<string, string> }) {
  return spawnSync(command, args, { env: {}, encoding: 'utf8', ...options })
}

test('a copy of the tree takes less than 8 MB', () => {
  // find follows no link: the stage's dev/fd leads to /proc/self/fd.
  const files = run('/usr/bin/find', [prefix, '-type', 'f', '-printf', '%i %s\\n'], { cwd: '/' })
    .stdout.trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([ino = 0, size = 0]) => ({ ino, size }))
  const sizes = new Map(files.map(({ ino, size }) => [ino, size]))
  expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(8e6)
})

test('a copy of the tree runs with an empty environment from another directory', () => {
  const { status, stdout, stderr } = run(join(prefix, 'bin/crio-lxc'), ['--version'], { cwd: '/' })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^crio-lxc /)
  expect(status).toBe(0)
})

test('--version names a commit of this checkout, and none outside a checkout', () => {
  const { stdout } = run(join(prefix, 'bin/crio-lxc'), ['--version'], { cwd: '/' })
  const [, commit, dirty] = /^commit: ([0-9a-f]{40})(-dirty)?$/m.exec(stdout) ?? []
  const git = (...args: string[]) => spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8' })
  if (!existsSync(join(repository, '.git'))) {
    expect(stdout).toMatch(/^crio-lxc version \S+\nspec: \S+\n$/)
    return
  }
  expect(stdout).toMatch(/^crio-lxc version \S+\ncommit: [0-9a-f]{40}(-dirty)?\nspec: \S+\n$/)
  expect(git('cat-file', '-e', `${commit}^{commit}`).status, `${commit}${dirty}`).toBe(0)
})

describe('the bundles', () => {
  requires('node-22')
  test('print the same on Node', () => {
    const native = run(join(prefix, 'bin/crio-lxc'), ['--version'], { cwd: '/' })
    const node = run(productNode() ?? 'node', [join(prefix, 'lib/crio-lxc/crio-lxc.js'), '--version'], { cwd: '/' })
    expect(node).toMatchObject({ status: 0, stdout: native.stdout, stderr: native.stderr })
  })
})

test('every directory of the stage can be traversed by a mapped root', () => {
  const stage = join(prefix, 'libexec/crio-lxc/stage')
  const modes = readdirSync(stage, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => statSync(join(stage, name)).mode & 0o7777)
  expect(modes.length).toBeGreaterThan(0)
  expect(new Set([statSync(stage).mode & 0o7777, ...modes])).toEqual(new Set([0o755]))
})

test('neither the environment nor the working directory brings anything into the program', () => {
  const cwd = join(scratch, 'hostile')
  mkdirSync(join(cwd, 'node_modules'), { recursive: true })
  for (const name of ['.env', 'crio-lxc.js', 'commands', 'package.json', 'std', 'os'])
    writeFileSync(join(cwd, name), 'x')
  const env = {
    NODE_OPTIONS: '--require=./crio-lxc.js',
    LD_PRELOAD: './os',
    LD_LIBRARY_PATH: '.',
    MALLOC_PERTURB_: '1',
    TZ: ':./std',
    LANG: './os',
  }
  const program = join(prefix, 'bin/crio-lxc')
  expect(run(program, ['--version'], { cwd, env })).toMatchObject({ status: 0, stderr: '' })
  const trace = run('strace', ['-f', '-e', 'trace=%file', program, '--version'], {
    cwd,
    env: { PATH: '/usr/bin' },
  }).stderr
  expect(trace).toContain('execve(')
  expect(trace.split('\n').filter((line) => /^\w+\(/.test(line) && !line.startsWith('execve('))).toEqual([])
})
