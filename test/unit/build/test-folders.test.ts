/** The tests stand where the code is that they are about, so that one word finds both (docs/development.md). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const development = readFileSync(join(root, 'docs/development.md'), 'utf8')

function below(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
}

const folders = (directory: string): string[] =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )

const integrationTests = below('test/integration').filter((name) => name.endsWith('.test.ts'))

/** Folders of test/integration that are about something else: config.json, and the benchmark. */
const others = ['fields', 'bench']

test('a folder of test/integration is named as a room of runtime-cli or a directory of core', () => {
  const named = ['packages/runtime-cli/src', 'packages/core/src'].flatMap(below)
  const rooms = new Set([...named, ...below('packages/core')].map((path) => path.split('/').at(-1)))
  expect(integrationTests.length).toBeGreaterThan(100)
  const misplaced = integrationTests.filter((name) => !rooms.has(dirname(name)) && !others.includes(dirname(name)))
  expect(misplaced).toEqual([])
})

test.each(folders('packages').filter((name) => existsSync(join(root, 'test/unit', name))))(
  'unit tests of %s stand below the paths of what they test',
  (name) => {
    const tests = below(`test/unit/${name}`).filter((path) => path.endsWith('.test.ts') && !path.includes('golden/'))
    expect(tests.length).toBeGreaterThan(0)
    expect(tests.filter((path) => !existsSync(join(root, 'packages', name, 'src', dirname(path))))).toEqual([])
  },
)

/** The rows `| room | words |` of docs/development.md: rooms whose tests stand by field, and the words that find them. */
const byField = new Map(
  Array.from(
    development.matchAll(/^\| `([a-z-]+)` \| ((?:`fields\/[^`]+`,? ?)+)\|$/gm),
    ([, room = '', words = '']) => [room, Array.from(words.matchAll(/`([^`]+)`/g), ([, word = '']) => word)],
  ),
)

test.each(folders('packages/runtime-cli/src'))('the room %s has tests that its name finds', (room) => {
  const places = ['test/integration', 'test/unit/runtime-cli'].map((directory) => join(root, directory, room))
  if (byField.has(room)) {
    const missed = byField.get(room)?.filter((word) => !integrationTests.some((name) => name.startsWith(word)))
    expect(missed).toEqual([])
    expect(places.filter(existsSync), `docs/development.md sends whoever has changed ${room} elsewhere`).toEqual([])
  } else expect(places.filter(existsSync)).not.toEqual([])
})
