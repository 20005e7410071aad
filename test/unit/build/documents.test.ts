import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { globalOptions } from '../../../packages/runtime-cli/src/command-line/global-options.ts'
import { commandReference } from '../../../scripts/command-reference.ts'
import { withTables } from '../../../scripts/configuration-tables.ts'
import { errorCodes } from '../../../scripts/error-codes.ts'
import { libraryDocuments } from '../../../scripts/library/documents.ts'
import { withPictures } from '../../../scripts/rooms-picture.ts'
import { specConformance } from '../../../scripts/spec-conformance.ts'

const root = resolve(import.meta.dirname, '../../..')

test('decisions are numbered without gaps', () => {
  const numbers = readdirSync(join(root, 'docs/adr')).map((name) => Number(name.slice(0, 4)))
  expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1))
})

test('docs/spec-conformance.md is what the tables say (npm run docs)', () => {
  expect(readFileSync(join(root, 'docs/spec-conformance.md'), 'utf8')).toBe(specConformance())
})

test('docs/errors.md is what the codes say (npm run docs)', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(errorCodes())
})

test('docs/commands.md is what the tables of options say (npm run docs)', async () => {
  expect(readFileSync(join(root, 'docs/commands.md'), 'utf8')).toBe(await commandReference())
})

test('docs/configuration.md has the tables of the options (npm run docs)', () => {
  const document = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
  expect(document.match(/^\| `CRIO_LXC_/gm)?.length).toBeGreaterThan(20)
  expect(withTables(document)).toBe(document)
})

test('docs/architecture.md has the pictures that the imports make (npm run docs)', { timeout: 60_000 }, async () => {
  const architecture = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  expect(await withPictures(architecture)).toBe(architecture)
})

test('docs/seed.md names flags and variables as they are', () => {
  const seed = readFileSync(join(root, 'docs/seed.md'), 'utf8')
  const flags = [...seed.matchAll(/`--([a-z-]+)`/g)].map(([, flag = '']) => flag)
  const variables = [...seed.matchAll(/`(CRIO_LXC_[A-Z_]+)`/g)].map(([, variable = '']) => variable)
  expect(flags.length).toBeGreaterThan(15)
  expect(variables).toHaveLength(flags.length)
  const known = globalOptions as Readonly<Record<string, { readonly env?: string }>>
  expect(flags.map((flag) => known[flag]?.env)).toEqual(variables)
})

test('the documents of the library are what its types say (npm run docs)', { timeout: 60_000 }, () => {
  for (const [name, text] of Object.entries(libraryDocuments()))
    expect(readFileSync(join(root, 'docs', name), 'utf8'), name).toBe(text)
})

test('docs/seed.md has a TypeScript signature of everything in the seed, as the library exports it', () => {
  const seed = readFileSync(join(root, 'docs/seed.md'), 'utf8')
  const api = readFileSync(join(root, 'docs/library-api.txt'), 'utf8').replace(/\s+/g, ' ')
  const signatures = [...seed.matchAll(/^\| `[^|]+\| `([^`]+)` \|/gm)].map(([, signature = '']) => signature)
  expect(signatures.length).toBeGreaterThan(45)
  expect(signatures.filter((signature) => !api.includes(signature))).toEqual([])
})
