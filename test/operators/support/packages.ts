/** The packages that `npm run package` makes, and one of a higher version. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { typescript } from '../../support/node.ts'

const repository = resolve(import.meta.dirname, '../../..')

/** Of the programs in dist, by their own words. */
export function builtVersion(): string {
  const text = execFileSync(join(repository, 'dist/bin/crio-lxc'), ['--version'], { encoding: 'utf8' })
  return /^crio-lxc version (\S+)$/m.exec(text)?.[1] ?? ''
}

/** Returns its path in `directory`. `through` is a command, with arguments, that runs what follows. */
export function pack(directory: string, options: readonly string[] = [], through: readonly string[] = []): string {
  const script = [process.execPath, ...typescript, join(repository, 'scripts/package/deb.ts'), ...options, directory]
  const [command = '', ...args] = [...through, ...script]
  return execFileSync(command, args, { encoding: 'utf8', cwd: repository }).trim()
}

export function unpack(deb: string): string {
  const tree = mkdtempSync(join(tmpdir(), 'crio-lxc-unpacked-'))
  execFileSync('dpkg-deb', ['--raw-extract', deb, tree])
  return tree
}

/** The same with another version, and with programs that are other files: a byte after an executable's end changes nothing. */
export function newerPackage(deb: string, version: string): string {
  const tree = unpack(deb)
  for (const program of ['bin/crio-lxc', 'libexec/crio-lxc/crio-lxc-hook', 'libexec/crio-lxc/crio-lxc-start'])
    appendFileSync(join(tree, 'usr', program), '\n')
  // Also its link in the stage.
  appendFileSync(join(tree, 'usr/libexec/crio-lxc/crio-lxc-init'), '\n')
  const control = join(tree, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`))
  const newer = deb.replace(/_[^_]+_/, `_${version}_`)
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, newer])
  rmSync(tree, { recursive: true })
  return newer
}
