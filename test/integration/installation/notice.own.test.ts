/** Whose work is installed is named, with its licence. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const repository = resolve(import.meta.dirname, '../../..')
const documents = join(repository, 'dist/share/doc/crio-lxc')
const notice = readFileSync(join(documents, 'NOTICE'), 'utf8')

interface Metafile {
  readonly outputs: Record<string, { readonly inputs: Record<string, unknown> }>
}

/** The npm packages of which something is in a bundle, by what the bundler says. */
function bundled(): string[] {
  const directories = ['runtime-cli', 'hook'].flatMap((name) =>
    ['engine', 'node'].map((kind) => join(repository, 'packages', name, 'dist', kind)),
  )
  const files = directories.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => /^metafile-.*\.json$/.test(name))
      .map((name) => join(directory, name)),
  )
  expect(files).toHaveLength(directories.length)
  const inputs = files.flatMap((file) =>
    Object.values((JSON.parse(readFileSync(file, 'utf8')) as Metafile).outputs).flatMap((output) =>
      Object.keys(output.inputs),
    ),
  )
  const names = inputs.flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [])
  return [...new Set(names)].sort()
}

test('every npm package in a bundle is in NOTICE, with its licence', () => {
  expect(bundled()).toContain('bunyan')
  for (const name of [...bundled(), 'koffi']) {
    const { license } = JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8'))
    expect(notice).toMatch(new RegExp(`^ +${name}, ${license}$`, 'm'))
  }
})

test.each(['QuickJS 2025.04.26', 'musl', 'libseccomp', 'libgcc'])('%s, which is linked in, is in NOTICE', (name) => {
  expect(notice).toMatch(new RegExp(`^ +${name}, \\S+`, 'm'))
})

test('the licences that it names are beside it', () => {
  expect(readdirSync(documents).sort()).toEqual(['LGPL-2.1', 'LICENSE', 'NOTICE'])
})
