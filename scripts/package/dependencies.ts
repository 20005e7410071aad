/** The packages that the ELF files below a directory need, as `Depends:` of Debian has them; of any processor. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../build-cache.ts'

/** Debian 13 renamed libraries whose time became 64 bits wide on other processors; on these the two are the same. */
const alternatives: Readonly<Record<string, string>> = {
  liblxc1: 'liblxc1 | liblxc1t64',
  liblxc1t64: 'liblxc1 | liblxc1t64',
}

export function debianDependencies(directory: string): string[] {
  const elves = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => needed(path).length > 0)
  const packages = new Set(elves.flatMap((path) => needed(path)).map((library) => packageOf(library)))
  return [...packages]
    .map((name) => (name === 'libc6' ? `libc6 (>= ${newestSymbol(elves)})` : (alternatives[name] ?? name)))
    .sort()
}

/** The libraries that an executable names; none of what is no dynamic executable. */
function needed(path: string): string[] {
  if (readFileSync(path).toString('latin1', 0, 4) !== '\x7fELF') return []
  return [...output('readelf', ['-dW', path]).matchAll(/\(NEEDED\).*\[(.+)\]$/gm)].map(([, name = '']) => name)
}

/** The package that has a library, or a header, on this machine: its name is the same for every processor. */
export function packageOf(library: string): string {
  // The dynamic linker's name is the processor's.
  if (/^ld-linux/.test(library)) return 'libc6'
  const owners = output('dpkg-query', ['--search', `*/${library}`])
  const name = /^([^:,\s]+)/.exec(owners)?.[1]
  if (name === undefined) throw new Error(`no package has ${library}`)
  return name
}

/** The newest version of glibc that a symbol asks for. */
function newestSymbol(elves: readonly string[]): string {
  const versions = elves.flatMap((path) => [...output('readelf', ['-VW', path]).matchAll(/Name: GLIBC_(\d+)\.(\d+)/g)])
  const newest =
    versions.map(([, major, minor]) => Number(major) * 1000 + Number(minor)).sort((a, b) => b - a)[0] ?? 2000
  return `${Math.floor(newest / 1000)}.${newest % 1000}`
}
