/**
 * Puts the built parts together as the tree that is installed: dist/{bin,lib,libexec}. A copy of it is an installation
 * (install-to.ts makes one), because every program finds its companions relative to its own file. Every file is replaced by
 * rename(2), so a container that runs meanwhile keeps what it has opened.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
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
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const libexec = join(dist, 'libexec/crio-lxc')
const bundles = ['runtime-cli', 'hook'].map((name) => join(root, 'packages', name, 'dist'))

for (const dir of ['.', 'bin', 'lib', 'lib/crio-lxc', 'libexec', 'libexec/crio-lxc']) makeDirectory(join(dist, dir))
installBundles()
install(join(root, 'packages/start-monitor/dist/crio-lxc-start'), join(libexec, 'crio-lxc-start'))
// Not to be read: the kernel keeps a program from being traced that is executed in a user namespace without the right to read
// it. Also the link in the stage, which is the same file.
install(join(root, 'packages/init/dist/crio-lxc-init'), join(libexec, 'crio-lxc-init'), 0o111)
install(koffiModule(), join(libexec, 'koffi.node'), 0o644)
installStage()
installExecutable()

/** The bundles as they are, for Node: `node PREFIX/lib/crio-lxc/crio-lxc.js`. */
function installBundles(): void {
  const lib = join(dist, 'lib/crio-lxc')
  const files = bundles.flatMap((dir) => scripts(dir).map((name) => ({ name, from: join(dir, name) })))
  for (const { name, from } of files) install(from, join(lib, name), 0o644)
  // Node takes a .js file for CommonJS unless the nearest package.json says otherwise.
  replace(join(lib, 'package.json'), (path) => writeFileSync(path, '{ "type": "module" }\n'), 0o644)
  const current = new Set(['package.json', ...files.map(({ name }) => name)])
  for (const name of readdirSync(lib)) if (!current.has(name)) rmSync(join(lib, name))
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

/** The native executable under its two names; compiled only when what goes into it has changed. */
function installExecutable(): void {
  const executable = join(dist, 'bin/crio-lxc')
  const stamp = join(root, 'node_modules/.cache/crio-lxc/executable.sha256')
  const inputs = inputsOfExecutable()
  if (!existsSync(executable) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== inputs) {
    replace(executable, compile, 0o755)
    mkdirSync(join(stamp, '..'), { recursive: true })
    writeFileSync(stamp, inputs)
  }
  link(executable, join(libexec, 'crio-lxc-hook'))
}

function inputsOfExecutable(): string {
  const files = [
    ...bundles.flatMap((dir) => scripts(dir).map((name) => join(dir, name))),
    join(import.meta.dirname, 'program-entry.js'),
    join(import.meta.dirname, 'assemble.ts'),
    join(engine(), '../../package.json'),
  ]
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file))
  return hash.digest('hex')
}

/** docs/notes/bun.md says what each of these options keeps out. */
function compile(outfile: string): void {
  const compiled = `${outfile}.compiled`
  execFileSync(
    engine(),
    [
      'build',
      '--compile',
      '--bytecode',
      '--minify',
      '--format=esm',
      '--splitting',
      // A command ends before code compiled for it pays: without the compiler's threads every start is 1 ms shorter.
      '--compile-jit-policy=1000000',
      '--target=bun',
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      '--no-compile-autoload-tsconfig',
      '--no-compile-autoload-package-json',
      '--reject-unresolved',
      `--outfile=${compiled}`,
      'scripts/program-entry.js',
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  // Written anew in one piece: the kernel then caches it in larger pieces than the compiler's writes, 0.6 ms a start.
  writeFileSync(outfile, disarm(readFileSync(compiled)))
  rmSync(compiled)
}

/**
 * The engine obeys these variables before the program's first line: they run other code, open a debugger or write
 * files. Under a name with a `=` in it, which no variable can have, it finds none of them (docs/notes/bun.md).
 */
function disarm(bytes: Buffer): Buffer {
  for (const name of ['BUN_OPTIONS', 'BUN_BE_BUN', 'BUN_INSPECT', 'BUN_BYTECODE_']) {
    let at = bytes.indexOf(name)
    if (at < 0) throw new Error(`the engine does not know ${name}: look again at what it takes from the environment`)
    for (; at >= 0; at = bytes.indexOf(name, at)) bytes.write('=', at)
  }
  return bytes
}

function engine(): string {
  const machine = { x64: 'x64', arm64: 'aarch64' }[process.arch as 'x64' | 'arm64']
  const path = join(root, `node_modules/@oven/bun-linux-${machine}/bin/bun`)
  if (!existsSync(path)) throw new Error(`cannot compile the executable: ${path} does not exist, run npm ci`)
  return path
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
