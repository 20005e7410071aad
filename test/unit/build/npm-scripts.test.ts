/** What npm runs must not depend on the Node that some versions of npm link into node_modules/.bin. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it, test } from 'vitest'
import { typescript } from '../../support/node.ts'

const root = resolve(import.meta.dirname, '../../..')
const packages = ['.', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))]

function scriptsOf(path: string): [name: string, command: string][] {
  const { scripts = {} } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
  return Object.entries<string>(scripts)
}

test.each(packages)('the scripts of %s run TypeScript through esbuild', (path) => {
  const commands = scriptsOf(path).flatMap(([, command]) => command.match(/\bnode [^&|;)]*/g) ?? [])
  const loader = join(root, 'scripts/typescript.js')
  const others = commands.filter((command) => resolve(root, path, command.split(' ')[2] ?? '') !== loader)
  expect(others).toEqual([])
})

test.each(['test/run', 'test/demo', 'test/vm', 'test/fresh'])('so do the shell scripts in %s', (directory) => {
  const lines = readdirSync(join(root, directory))
    .filter((name) => name.endsWith('.sh'))
    .flatMap((name) => readFileSync(join(root, directory, name), 'utf8').split('\n'))
  const calls = lines.filter((line) => /\bnode\b.*\.ts\b/.test(line))
  expect(calls.filter((line) => !line.includes('node --import ./scripts/typescript.js '))).toEqual([])
})

/** Passes of tests that npm runs: each says what it does and how long that takes. */
test.each(
  Object.entries(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>),
)('npm run %s announces itself when it is a pass', (name, command) => {
  const script = /^sh (test\/(?:run|vm|operators|hosts)\/\S+)/.exec(command)?.[1]
  const text = script === undefined ? command : readFileSync(join(root, script), 'utf8')
  const announced = Array.from(text.matchAll(/scripts\/announce\.sh ([^&\n;]+)/g), ([, words = '']) => words.trim())
  const isPass = /^(?:test|lint|build|fuzz)\b/.test(name)
  expect(announced.length > 0).toBe(isPass)
  for (const words of announced.filter((each) => !each.includes('$'))) {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', `sh scripts/announce.sh ${words}`], {
      cwd: root,
      encoding: 'utf8',
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toMatch(/^\n\S.*: \S.*; about \d+ (?:s|minutes)(?: together)? on two processors\n/)
  }
})

it('runs what Node cannot read itself, and says where an error is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'typescript-'))
  try {
    const file = join(directory, 'main.ts')
    writeFileSync(join(directory, 'point.ts'), 'export class Point {\n  constructor(readonly x: number) {}\n}\n')
    writeFileSync(
      file,
      "import { Point } from './point.ts'\ninterface Named { name: string }\n\nconsole.log(new Point(7))\nthrow new Error('here')\n",
    )
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--enable-source-maps', ...typescript, file], {
      encoding: 'utf8',
    })
    expect({ stdout, status }).toEqual({ stdout: 'Point { x: 7 }\n', status: 1 })
    expect(stderr).toContain(`${file}:5`)
    expect(readdirSync(directory).sort()).toEqual(['main.ts', 'point.ts'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
