import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { productNode } from '../../support/node.ts'
import { requires } from '../../support/requires.ts'

const repository = resolve(import.meta.dirname, '../../..')
const dist = join(repository, 'dist')

const engine = { x64: 'x64', arm64: 'aarch64' }[process.arch as 'x64' | 'arm64']
const bun = join(repository, `node_modules/@oven/bun-linux-${engine}/bin/bun`)

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

test('a copy of the tree takes less than 130 MB, with both programs in one file', () => {
  // find follows no link: the stage's dev/fd leads to /proc/self/fd.
  const files = run('/usr/bin/find', [prefix, '-type', 'f', '-printf', '%i %s\\n'], { cwd: '/' })
    .stdout.trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([ino = 0, size = 0]) => ({ ino, size }))
  const sizes = new Map(files.map(({ ino, size }) => [ino, size]))
  expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(130e6)
  expect(statSync(join(prefix, 'libexec/crio-lxc/crio-lxc-hook')).ino).toBe(statSync(join(prefix, 'bin/crio-lxc')).ino)
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

test('the environment cannot bring code into the program', () => {
  const cwd = join(scratch, 'environment')
  const marker = join(scratch, 'environment-code-ran')
  mkdirSync(cwd)
  const evil = join(cwd, 'evil.js')
  writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')\n`)
  const env = {
    BUN_OPTIONS: `--preload=${evil}`,
    BUN_INSPECT: 'ws://127.0.0.1:0/x?wait=1',
    BUN_INSPECT_PRELOAD: evil,
    BUN_BYTECODE_ORDER_OUT: join(cwd, 'order'),
    NODE_OPTIONS: `--require=${evil}`,
  }
  // The variables work: the engine as it comes obeys them.
  run(bun, ['-e', '0'], { cwd, env: { BUN_OPTIONS: env.BUN_OPTIONS } })
  expect(statSync(marker).size).toBe(0)
  rmSync(marker)

  for (const more of [{}, { BUN_BE_BUN: '1' }]) {
    const { status, stdout, stderr } = run(join(prefix, 'bin/crio-lxc'), ['--version'], {
      cwd,
      env: { ...env, ...more },
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^crio-lxc /)
  }
  expect(() => statSync(marker)).toThrow('ENOENT')
  expect(readdirSync(cwd)).toEqual(['evil.js'])
})

test('the working directory cannot bring code or settings into the program', () => {
  const cwd = join(scratch, 'hostile')
  const marker = join(scratch, 'hostile-code-ran')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'evil.js'), `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')\n`)
  writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./evil.js"]\n')
  for (const name of ['.env', '.env.local', '.env.production'])
    writeFileSync(join(cwd, name), 'BUN_OPTIONS=--preload=./evil.js\n')
  writeFileSync(join(cwd, 'package.json'), '{ "imports": { "#x": "./evil.js" } }')
  writeFileSync(join(cwd, 'tsconfig.json'), '{ "compilerOptions": { "paths": { "*": ["./evil.js"] } } }')
  for (const name of ['mv', 'dtrace-provider', 'source-map-support', 'safe-json-stringify', 'koffi'])
    cpSync(join(cwd, 'evil.js'), join(cwd, 'node_modules', name, 'index.js'), { recursive: true })

  // What the files would do when they were read: the engine itself, without the program, reads them.
  const engine = run(bun, ['-e', '0'], { cwd })
  expect(engine.status).toBe(0)
  expect(statSync(marker).size).toBe(0)
  rmSync(marker)

  expect(run(join(prefix, 'bin/crio-lxc'), ['--version'], { cwd }).status).toBe(0)
  const trace = run('strace', ['-f', '-e', 'trace=%file', join(prefix, 'bin/crio-lxc'), '--version'], { cwd }).stderr
  expect(trace).toContain('execve(')
  expect(trace.split('\n').filter((line) => line.includes('hostile/') || /[(,] ?"[^/"]/.test(noExecve(line)))).toEqual(
    [],
  )
  expect(() => statSync(marker)).toThrow('ENOENT')
})

/** The arguments of execve(2) and the empty path of fstat are no look-ups in the working directory. */
function noExecve(line: string): string {
  return line.includes('execve(') ? '' : line
}
