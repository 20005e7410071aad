/**
 * Puts the built parts together as the tree that is installed: dist/{bin,lib,libexec,share}. A copy of it is an installation
 * (install-to.ts makes one), because every program finds its companions relative to its own file. Every file is replaced by
 * rename(2), so a container that runs meanwhile keeps what it has opened.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { buildProgram } from './engine.ts'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const libexec = join(dist, 'libexec/crio-lxc')
const bundles = ['runtime-cli', 'hook'].map((name) => join(root, 'packages', name, 'dist/node'))

const documents = 'share/doc/crio-lxc'

for (const dir of ['.', 'bin', 'lib', 'lib/crio-lxc', 'libexec', 'libexec/crio-lxc', 'share', 'share/doc', documents])
  makeDirectory(join(dist, dir))
installBundles()
installLicences()
install(join(root, 'packages/start-monitor/dist/crio-lxc-start'), join(libexec, 'crio-lxc-start'))
// Not to be read: the kernel keeps a program from being traced that is executed in a user namespace without the right to read
// it. Also the link in the stage, which is the same file.
install(join(root, 'packages/init/dist/crio-lxc-init'), join(libexec, 'crio-lxc-init'), 0o111)
installStage()
for (const [name, path] of [
  ['runtime-cli', 'bin/crio-lxc'],
  ['hook', 'libexec/crio-lxc/crio-lxc-hook'],
] as const)
  installProgram(name, join(dist, path))
installSums()

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

/**
 * The directory that liblxc takes for a rootfs: init beside the mount points its plan needs, and the links that
 * liblxc would otherwise make itself. `lxc` is where liblxc mounts it, and its constant lxcpath.
 */
function installStage(): void {
  const { init, directories, links } = JSON.parse(readFileSync(join(root, 'packages/init/stage.json'), 'utf8')) as {
    init: string
    directories: string[]
    links: Record<string, string>
  }
  const stage = join(libexec, 'stage')
  rmSync(stage, { recursive: true, force: true })
  for (const dir of ['../lxc', '.', ...directories]) makeDirectory(join(stage, dir))
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(stage, path))
  link(join(libexec, 'crio-lxc-init'), join(stage, init))
}

/** The executable of a program, named as its bundle. */
function installProgram(name: string, path: string): void {
  const built = buildProgram(join(root, 'packages', name, 'dist/engine'), `${basename(path)}.js`)
  install(built, path)
}

/** What the programs of one build are, for `crio-lxc check`; sha256sum(1) writes such lines. */
function installSums(): void {
  const programs = [
    join(dist, 'bin/crio-lxc'),
    ...['start', 'init', 'hook'].map((name) => join(libexec, `crio-lxc-${name}`)),
  ]
  const lines = programs.map(
    (path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`,
  )
  replace(join(libexec, 'SHA256SUMS'), (path) => writeFileSync(path, lines.join('')), 0o644)
}

/** A root mapped to another uid must be able to traverse it, whatever the umask of the build. */
function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
}

function koffiModule(): string {
  return join(root, `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`)
}

function scripts(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.js'))
    .sort()
}

function install(from: string, to: string, mode = 0o755): void {
  if (holds(to, readFileSync(from), mode)) return
  replace(to, (path) => copyFileSync(from, path), mode)
}

function holds(path: string, content: Buffer, mode: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  // Its owner, if that is not root, cannot read it.
  return (
    found !== undefined && (found.mode & 0o777) === mode && (mode & 0o444) !== 0 && content.equals(readFileSync(path))
  )
}

function link(from: string, to: string): void {
  replace(to, (path) => linkSync(from, path))
}

function replace(path: string, write: (temporary: string) => void, mode?: number): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  write(temporary)
  if (mode !== undefined) chmodSync(temporary, mode)
  renameSync(temporary, path)
  // rename(2) does nothing, and leaves both names, when they are already the same file.
  rmSync(temporary, { force: true })
}
