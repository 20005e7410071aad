/**
 * `npm run pack-library [-- DIRECTORY]`: the npm package `crio-lxc` as a tarball, by default in artifacts/. It has the modules of
 * packages/runtime-cli/dist/library, their types, and the helpers of dist/libexec; no part of it runs when it is installed.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { publicDeclarations, typesOf } from './declarations.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const core = JSON.parse(read('packages/core/package.json')) as { dependencies: Record<string, string> }
const { version } = JSON.parse(read('packages/runtime-cli/package.json')) as { version: string }

const manifest = {
  name: 'crio-lxc',
  version,
  description: 'An OCI container runtime on liblxc, as a library',
  license: 'Apache-2.0',
  type: 'module',
  exports: { '.': { types: './index.d.ts', default: './index.js' } },
  os: ['linux'],
  cpu: [process.arch],
  engines: { node: '>=22' },
  dependencies: { koffi: core.dependencies['koffi'] },
  peerDependencies: { '@types/node': '>=20' },
  peerDependenciesMeta: { '@types/node': { optional: true } },
}

/** Path in the package, path in the repository, and whether it is a program. */
const files: readonly (readonly [to: string, from: string, program?: 'program'])[] = [
  ['index.js', 'packages/runtime-cli/dist/library/index.js'],
  ['worker.js', 'packages/runtime-cli/dist/library/worker.js'],
  ['LICENSE', 'LICENSE'],
  ['NOTICE', 'NOTICE'],
  ...(['crio-lxc-start', 'crio-lxc-init', 'crio-lxc-hook'] as const).map(
    (name) => [`libexec/crio-lxc/${name}`, `dist/libexec/crio-lxc/${name}`, 'program'] as const,
  ),
]

const target = resolve(process.argv[2] ?? join(root, 'artifacts'))
mkdirSync(target, { recursive: true })
const directory = mkdtempSync(join(tmpdir(), 'pack-library-'))
try {
  for (const [to, from, program] of files) {
    const path = join(directory, to)
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(join(root, from), path)
    chmodSync(path, program ? 0o755 : 0o644)
  }
  writeFileSync(join(directory, 'README.md'), read('docs/library.md').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1'))
  writeFileSync(join(directory, 'index.d.ts'), typesOf(publicDeclarations()))
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', target], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  console.log(join(target, packed.trim().split('\n').at(-1) ?? ''))
} finally {
  rmSync(directory, { recursive: true })
}
