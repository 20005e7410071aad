/**
 * `npm run package [-- [--architecture=arm64] [DIRECTORY]]`: the Debian package, in DIRECTORY or artifacts/. The same commit
 * gives the same bytes on the same release: every time in it is the commit's, every owner is root, every list is sorted.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { output } from '../build-cache.ts'
import { writeControl } from './control.ts'
import { crossPrograms } from './cross-programs.ts'
import type { Package } from './description.ts'
import { fillTree } from './tree.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'dist')

const own = output('dpkg', ['--print-architecture'])
const { values, positionals } = parseArgs({
  options: { architecture: { type: 'string', default: own } },
  allowPositionals: true,
})
const [directory = join(root, 'artifacts'), ...others] = positionals
try {
  if (others.length > 0) throw new Error('name one directory, or none')
  console.log(await makePackage(values.architecture, resolve(directory)))
} catch (error) {
  console.error(`package: ${(error as Error).message}`)
  process.exitCode = 1
}

/** Returns the path of the package. */
async function makePackage(architecture: string, directory: string): Promise<string> {
  // Root alone can read crio-lxc-init, which is part of it.
  if (process.getuid?.() !== 0)
    throw new Error('make it as root: nobody else may read libexec/crio-lxc/crio-lxc-init, which is part of it')
  if (!existsSync(join(dist, 'bin/crio-lxc'))) throw new Error(`${dist} is not complete: run npm run build first`)
  // What the program says of itself, whatever has been committed since it was built.
  const version = /^crio-lxc version (\S+)$/m.exec(output(join(dist, 'bin/crio-lxc'), ['--version']))?.[1] ?? ''
  const description: Package = {
    version,
    architecture,
    time: commitTime(),
    maintainer: maintainer(),
    programs: programsFor(architecture),
  }
  const tree = mkdtempSync(join(tmpdir(), 'crio-lxc-package-'))
  const deb = join(directory, `crio-lxc_${version}_${architecture}.deb`)
  const umask = process.umask(0o022)
  try {
    chmodSync(tree, 0o755)
    await fillTree(tree, description)
    writeControl(tree, description)
    // dpkg-deb sets back what is newer than the commit, but a build that only replaces what has changed leaves older files.
    execFileSync('find', [tree, '-exec', 'touch', '--no-dereference', `--date=@${description.time}`, '{}', '+'])
    mkdirSync(directory, { recursive: true })
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', tree, deb], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(description.time) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return deb
  } finally {
    process.umask(umask)
    rmSync(tree, { recursive: true })
  }
}

function programsFor(architecture: string): string {
  if (architecture === own) return dist
  if (architecture === 'arm64') return crossPrograms()
  throw new Error(`there is no package for ${architecture}: want ${own} or arm64`)
}

/** Of the commit that is packed; SOURCE_DATE_EPOCH where there is no checkout. */
function commitTime(): number {
  return Number(process.env['SOURCE_DATE_EPOCH'] ?? output('git', ['-C', root, 'log', '-1', '--format=%ct']))
}

/** By the variables of Debian's own tools. */
function maintainer(): string {
  const { DEBFULLNAME: name = 'the crio-lxc developers', DEBEMAIL: address = 'crio-lxc@localhost' } = process.env
  return `${name} <${address}>`
}
