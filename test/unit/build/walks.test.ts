/** The walks of docs/architecture.md: each hop names what is declared in the files that it names, or nobody gets through. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
/** Names of options and verbs, which stand in the same letters. */
const words = new Set(['features'])

interface Hop {
  /** Its walk and number. */
  readonly at: string
  readonly files: readonly string[]
  readonly names: readonly string[]
}

/** The hops of every walk in the text; throws Error for a file that is in no directory of its walk. */
function hopsOf(text: string): Hop[] {
  const [, walks = ''] = /^## Four walks\n(.*?)^(?:## |### Modules)/ms.exec(text) ?? []
  return walks.split(/^### /m).slice(1).flatMap(hopsOfWalk)
}

function hopsOfWalk(walk: string): Hop[] {
  const [title = '', ...lines] = walk.split('\n')
  const directories = new Set<string>()
  return (
    lines
      .join('\n')
      .split(/^(?=\d+\. )/m)
      .filter((hop) => /^\d/.test(hop))
      // What stands behind the list is of no hop.
      .map((hop) => hopOf(hop.split('\n\n', 1)[0] ?? '', `${title}, ${hop.slice(0, 2)}`, directories))
  )
}

function hopOf(text: string, at: string, directories: Set<string>): Hop {
  const marked = [...text.matchAll(/`([^`\s]+)`/g)].map(([, token = '']) => token)
  const files = marked.filter((token) => /^[\w/.-]+\.(ts|c)$/.test(token))
  for (const token of marked.filter((each) => /^(packages|test|scripts)\//.test(each)))
    directories.add(files.includes(token) ? dirname(token) : token)
  return {
    at,
    files: files.map((file) => found(file, directories, at)),
    names: marked.filter((token) => /^[A-Za-z]+$/.test(token) && !words.has(token)),
  }
}

function found(file: string, directories: ReadonlySet<string>, at: string): string {
  const places = ['.', ...directories].map((directory) => join(directory, file))
  const place = places.findLast((path) => existsSync(join(root, path)))
  if (place === undefined) throw new Error(`${at} ${file} is in none of ${[...directories].join(', ')}`)
  return place
}

/** Whether the file declares it: a function, a table, a class, a member of one, or a function of C. */
function declares(file: string, name: string): boolean {
  const source = readFileSync(join(root, file), 'utf8')
  const patterns = file.endsWith('.c')
    ? [`^(static )?\\w+ \\*?${name}\\(`]
    : [`^(export )?(async )?(function|const|class) ${name}\\b`, `^ {2}(static )?(async )?${name}\\(`]
  return patterns.some((pattern) => new RegExp(pattern, 'm').test(source))
}

const problemsOf = (text: string): string[] =>
  hopsOf(text).flatMap(({ at, files, names }) =>
    names
      .filter((name) => !files.some((file) => declares(file, name)))
      .map((name) => `${at} ${name} is declared in none of ${files.join(', ')}`),
  )

test('every name of a hop is declared in a file of that hop', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const hops = hopsOf(text)
  expect(new Set(hops.map(({ at }) => at.split(',')[0])).size).toBe(4)
  expect(hops.flatMap(({ names }) => names).length).toBeGreaterThan(30)
  expect(hops.filter(({ files }) => files.length === 0)).toEqual([])
  expect(problemsOf(text)).toEqual([])
})

test('a name or a file that has moved is told', () => {
  const walk = (hop: string): string => `## Four walks\n\n### x\n\n1. ${hop}\n\n## End\n`
  const file = '`packages/runtime-cli/src/cli.ts`'
  expect(problemsOf(walk(`\`findCommand\` in ${file}`))).toEqual([])
  expect(problemsOf(walk(`\`loseCommand\` in ${file}`))).toEqual([
    'x, 1. loseCommand is declared in none of packages/runtime-cli/src/cli.ts',
  ])
  expect(problemsOf(walk(`\`run\` in ${file}, \`program.ts\``))).toEqual([])
  expect(() => problemsOf(walk(`\`run\` in ${file}, \`prog.ts\``))).toThrow('prog.ts is in none of')
})
