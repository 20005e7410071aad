/** The programs of an installation, and the stage, put below a directory: `bin` and `libexec` of dist, or of another processor. */

import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { STAGE_INIT, stageDirectories, stageLinks } from '../packages/core/src/plan/stage.ts'
import { buildProgram } from './engine.ts'
import type { Target } from './engine-target.ts'

const root = resolve(import.meta.dirname, '..')

/** What a C compiler has made. */
export interface Compiled {
  readonly start: string
  readonly init: string
}

/** `target`: this machine's unless given. */
export function installPrograms(prefix: string, { start, init }: Compiled, target?: Target): void {
  const libexec = join(prefix, 'libexec/crio-lxc')
  for (const directory of ['.', 'bin', 'libexec', 'libexec/crio-lxc']) makeDirectory(join(prefix, directory))
  install(start, join(libexec, 'crio-lxc-start'))
  // Not to be read: the kernel keeps a program from being traced that is executed in a user namespace without the right to
  // read it. Also the link in the stage, which is the same file.
  install(init, join(libexec, 'crio-lxc-init'), 0o111)
  installStage(libexec)
  for (const [name, path] of [
    ['runtime-cli', 'bin/crio-lxc'],
    ['hook', 'libexec/crio-lxc/crio-lxc-hook'],
  ] as const) {
    // Named as its bundle.
    const engine = join(root, 'packages', name, 'dist/engine')
    install(buildProgram(engine, `${basename(path)}.js`, target), join(prefix, path))
  }
  installSums(prefix, libexec)
}

/** What the programs of one build are, for `crio-lxc check`; sha256sum(1) writes such lines. */
function installSums(prefix: string, libexec: string): void {
  const programs = [
    join(prefix, 'bin/crio-lxc'),
    ...['start', 'init', 'hook'].map((name) => join(libexec, `crio-lxc-${name}`)),
  ]
  const lines = programs.map(
    (path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`,
  )
  replace(join(libexec, 'SHA256SUMS'), (path) => writeFileSync(path, lines.join('')), 0o644)
}

/**
 * The directory that liblxc takes for a rootfs: init beside the mount points its plan needs, and the links that
 * liblxc would otherwise make itself. `lxc` is where liblxc mounts it, and its constant lxcpath.
 */
function installStage(libexec: string): void {
  const stage = join(libexec, 'stage')
  rmSync(stage, { recursive: true, force: true })
  for (const dir of ['../lxc', '.', ...stageDirectories]) makeDirectory(join(stage, dir))
  for (const [path, target] of Object.entries(stageLinks)) symlinkSync(target, join(stage, path))
  link(join(libexec, 'crio-lxc-init'), join(stage, STAGE_INIT))
}

/** A root mapped to another uid must be able to traverse it, whatever the umask of the build. */
export function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
}

export function install(from: string, to: string, mode = 0o755): void {
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

export function replace(path: string, write: (temporary: string) => void, mode?: number): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  write(temporary)
  if (mode !== undefined) chmodSync(temporary, mode)
  renameSync(temporary, path)
  // rename(2) does nothing, and leaves both names, when they are already the same file.
  rmSync(temporary, { force: true })
}
