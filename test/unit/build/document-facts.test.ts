/** What the documents say that a machine can look up: links, command lines, options, variables, npm scripts and paths. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { globalOptions, knowsVariable } from '../../../packages/runtime-cli/src/command-line/global-options.ts'
import { knownOptions, mentionsOf, optionsAlone, problemOf } from '../../support/document-commands.ts'
import { blocksOf, brokenLinks, documents, repository, spansOf, textOf } from '../../support/documents.ts'

/** Options that stand alone and are podman's, ctr's, vitest's, the benchmark's or nobody's. */
const ofOthers = new Set([
  ...['cgroups', 'mount', 'pid', 'restart', 'runtime', 'runtime-flag', 'sdnotify', 'uidmap', 'volume'],
  ...['runc-binary', 'no-file-parallelism', 'name'],
  ...[...textOf('test/bench/bench.ts').matchAll(/\b(\w+): (?:flag|\{ type: 'string')/g)].map(([, name = '']) => name),
])

/** Docker's, in its chapter: what its tests give, and three that only a person does. */
const ofDocker = new Set([
  ...['exec-opt', 'validate', 'all'],
  ...readdirSync(join(repository, 'test/callers/docker'))
    .map((name) => textOf(`test/callers/docker/${name}`))
    .concat(textOf('test/callers/support/docker.ts'))
    .flatMap((text) => [...text.matchAll(/--([a-z][a-z-]*)/g)].map(([, name = '']) => name)),
])

const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))

describe.each(documents())('%s', (name) => {
  // There the first cell of a row is about another program.
  const text = name === 'docs/migration.md' ? textOf(name).replace(/^\|[^|]*\|/gm, '|') : textOf(name)
  const code = [...spansOf(text), ...blocksOf(text).flatMap(({ lines }) => lines)]

  test('links to documents and headings that exist', () => {
    expect(brokenLinks(name)).toEqual([])
  })

  test('has command lines that the program accepts', async () => {
    const problems = await Promise.all(mentionsOf(text).map(problemOf))
    expect(problems.filter((problem) => problem !== undefined)).toEqual([])
  })

  test('names options that exist', async () => {
    const known = await knownOptions(globalOptions)
    const others = name === 'docs/docker.md' ? ofDocker : ofOthers
    expect(optionsAlone(text).filter((option) => !known.has(option) && !others.has(option))).toEqual([])
  })

  test('names variables that are read', () => {
    const variables = text.match(/\bCRIO_LXC_\w+\b/g) ?? []
    const others = variables.filter((variable) => !variable.endsWith('_') && !knowsVariable(variable))
    // Fields of the journal are spelled alike.
    const fields = textOf('packages/core/src/host/log/socket-sink.ts')
    expect(others.filter((name) => !fields.includes(`${name}:`))).toEqual([])
  })

  test('names npm scripts that exist', () => {
    const named = code.flatMap((line) =>
      [...line.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, script = '']) => script),
    )
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([])
  })

  test('names files of this repository that exist', () => {
    const words = code.flatMap((line) => line.match(/(?<![\w./-])(?:packages|test|scripts|docs)\/[\w./-]*\w/g) ?? [])
    expect(words.filter((path) => !existsSync(join(repository, path)))).toEqual([])
  })
})

test('docs/README.md leads to every document', () => {
  const index = textOf('docs/README.md')
  const names = documents().filter(
    (name) => /^docs\/(?!adr\/|README)/.test(name) || /^(SECURITY|CONTRIBUTING)/.test(name),
  )
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !index.includes(`(${relative('docs', name)}`))).toEqual([])
})

test('README.md has the packages that building takes, which every pass installs', () => {
  const [, named] = /^apt-get install (gcc .*)$/m.exec(textOf('README.md')) ?? []
  const [, installed = ''] = /^build_packages='(.*)'$/m.exec(textOf('test/run/prepare.sh')) ?? []
  expect(named).toBe(installed.replace('busybox-static ', ''))
})
