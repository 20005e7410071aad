/**
 * Puts the built parts together as the tree that is installed: dist/{bin,lib,libexec,share}. A copy of it is an installation
 * (install-to.ts makes one), because every program finds the others relative to its own file. Every file is replaced by
 * rename(2), so a container that runs meanwhile keeps what it has opened.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { install, installPrograms, makeDirectory, replace } from './programs.ts'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const bundles = ['runtime-cli', 'hook'].map((name) => join(root, 'packages', name, 'dist/node'))

const documents = 'share/doc/crio-lxc'

for (const dir of ['.', 'lib', 'lib/crio-lxc', 'share', 'share/doc', documents]) makeDirectory(join(dist, dir))
installBundles()
installLicences()
installPrograms(dist, {
  start: join(root, 'packages/start-monitor/dist/crio-lxc-start'),
  init: join(root, 'packages/init/dist/crio-lxc-init'),
})

/** The bundles as they are, for Node: `node PREFIX/lib/crio-lxc/crio-lxc.js`. */
function installBundles(): void {
  const lib = join(dist, 'lib/crio-lxc')
  const files = bundles.flatMap((dir) => scripts(dir).map((name) => ({ name, from: join(dir, name) })))
  for (const { name, from } of files) install(from, join(lib, name), 0o644)
  // Node takes a .js file for CommonJS unless the nearest package.json says otherwise.
  replace(join(lib, 'package.json'), (path) => writeFileSync(path, '{ "type": "module" }\n'), 0o644)
  install(koffiModule(), join(lib, 'koffi.node'), 0o644)
  const current = new Set(['package.json', 'koffi.node', ...files.map(({ name }) => name)])
  for (const name of readdirSync(lib)) if (!current.has(name)) rmSync(join(lib, name))
}

/** Of this program, of what is linked into it, and the text of the licence that asks for its text (Debian's base-files). */
function installLicences(): void {
  for (const name of ['LICENSE', 'NOTICE']) install(join(root, name), join(dist, documents, name), 0o644)
  install('/usr/share/common-licenses/LGPL-2.1', join(dist, documents, 'LGPL-2.1'), 0o644)
}

function koffiModule(): string {
  return join(root, `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`)
}

function scripts(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.js'))
    .sort()
}
