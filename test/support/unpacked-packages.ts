/** Debian's packages of another release, unpacked: nothing of them is installed. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetch } from '../../scripts/apt.ts'
import { cache, makeWhole, output, run } from '../../scripts/build-cache.ts'

export interface Wanted {
  readonly release: string
  /** Those that these depend on are not fetched. */
  readonly packages: readonly string[]
  /**
   * Paths in the tree of executables that run here with the loader and the libraries of the tree, so that libc6 is one of
   * the packages.
   */
  readonly executables?: readonly string[]
}

/** The tree, kept in the build's cache: remove it there to have its packages looked up again. Throws when they cannot be had. */
export function unpackedPackages(wanted: Wanted): string {
  const digest = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12)
  const tree = join(cache, `${wanted.release}-${digest}`)
  if (!existsSync(tree)) makeWhole(tree, (directory) => fill(directory, tree, wanted))
  return tree
}

/** `directory` will be renamed to `tree`. */
function fill(directory: string, tree: string, { release, packages, executables = [] }: Wanted): void {
  unpack(release, packages, directory)
  if (executables.length === 0) return
  // That of this machine's release runs here.
  unpack(codename(), ['patchelf'], directory)
  const libraries = `usr/lib/${output('dpkg-architecture', ['-qDEB_HOST_MULTIARCH'])}`
  const loader = readdirSync(join(directory, libraries)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name))
  if (loader === undefined) throw new Error(`the packages ${packages.join(' ')} have no loader in ${libraries}`)
  const final = join(tree, libraries)
  const paths = ['--set-interpreter', join(final, loader), '--force-rpath', '--set-rpath', final]
  // In the file: a program that executes itself again, as crun does, would lose what a wrapper says.
  for (const executable of executables) run(join(directory, 'usr/bin/patchelf'), [...paths, executable], directory)
}

function unpack(release: string, packages: readonly string[], directory: string): void {
  fetch({ type: 'deb', release }, ['download', ...packages], directory)
  const archives = readdirSync(directory).filter((name) => name.endsWith('.deb'))
  for (const archive of archives) {
    run('dpkg', ['-x', archive, directory], directory)
    rmSync(join(directory, archive))
  }
}

function codename(): string {
  return output('sh', ['-c', '. /etc/os-release && echo "$VERSION_CODENAME"'])
}
