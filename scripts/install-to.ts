/**
 * `npm run install-to -- PREFIX`: puts dist/ below PREFIX, as root:root and with the modes that dist has, whatever the
 * umask. Directories that exist keep their owner and mode. Everything is copied beside its place first and tried, then
 * renamed into it: programs that run keep the files they have opened, and an installation that fails has replaced nothing.
 * PREFIX/{lib,libexec,share/doc}/crio-lxc are crio-lxc's alone: what an older version had there is removed.
 */
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'

/** One file or link of dist, as a path below it and below PREFIX. */
interface Entry {
  readonly path: string
  readonly status: Stats
}

const dist = resolve(import.meta.dirname, '../dist')
const ownDirectories = ['lib/crio-lxc', 'libexec/crio-lxc', 'share/doc/crio-lxc']
/** The last one to change its meaning is what callers name. */
const command = 'bin/crio-lxc'
/** What the kernel must be willing to execute where it lies: a libexec that is mounted noexec makes no containers. */
const executables = [command, 'libexec/crio-lxc/crio-lxc-init']

/** A sentence for the person who installs. */
class Refusal extends Error {}

const [argument = '', ...others] = process.argv.slice(2)
const prefix = resolve(argument)
try {
  console.log(install())
} catch (error) {
  console.error(`install to ${argument || 'PREFIX'}: ${(error as Error).message}`)
  if (!(error instanceof Refusal) && (error as NodeJS.ErrnoException).code === undefined) throw error
  process.exitCode = 1
}

function install(): string {
  if (!isAbsolute(argument) || others.length > 0)
    throw new Refusal('name one absolute path, as in npm run install-to -- /usr/local')
  if (process.getuid?.() !== 0) throw new Refusal('root runs these programs and must own them: run this as root')
  if (!existsSync(join(dist, command))) throw new Refusal(`${dist} is not complete: run npm run build first`)
  const directories = below(dist).filter(({ status }) => status.isDirectory())
  const files = below(dist).filter(({ status }) => !status.isDirectory())
  for (const path of ['', 'bin', 'lib', 'libexec', 'share', 'share/doc', ...ownDirectories])
    requireSafe(join(prefix, path))
  for (const { path } of directories) requireDirectory(join(prefix, path), !isOwn(path))
  for (const { path } of files) requireNoDirectory(join(prefix, path))

  makeDirectory(prefix)
  for (const { path } of directories) makeDirectory(join(prefix, path))
  copy(files)
  try {
    for (const path of executables) tryExecuting(temporaryOf(path), path)
    for (const { path } of files) renameSync(temporaryOf(path), join(prefix, path))
  } finally {
    // Also after success: rename(2) does nothing when both names are the same file already.
    for (const { path } of files) rmSync(temporaryOf(path), { force: true })
  }
  const removed = ownDirectories.map((path) => removeOthers(path, new Set(below(dist).map((entry) => entry.path))))
  const version = spawnSync(join(prefix, command), ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]
  const old = removed.reduce((sum, count) => sum + count, 0)
  return `${version} is installed in ${prefix}${old > 0 ? `; ${old} files of another version were removed` : ''}`
}

/** Every entry of a directory, parents first, the command last. */
function below(directory: string, path = ''): Entry[] {
  const entries = readdirSync(join(directory, path))
    .sort()
    .flatMap((name) => {
      const entry = { path: join(path, name), status: lstatSync(join(directory, path, name)) }
      return entry.status.isDirectory() ? [entry, ...below(directory, entry.path)] : [entry]
    })
  return [...entries.filter((entry) => entry.path !== command), ...entries.filter((entry) => entry.path === command)]
}

function isOwn(path: string): boolean {
  return ownDirectories.some((own) => path === own || path.startsWith(`${own}/`))
}

/** Nobody but root may be able to exchange what lies in the directory, or the directory, or a link on the way to it. */
function requireSafe(path: string, permitted = 0): void {
  const parent = dirname(path)
  // In a sticky directory as /tmp nobody can rename what is root's.
  if (parent !== path) requireSafe(parent, 0o1000)
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return
  if (status.uid !== 0)
    throw new Refusal(
      `${path} belongs to user ${status.uid}, who could replace what root runs: ` +
        `chown it to root, or choose another place`,
    )
  if (status.isSymbolicLink()) requireSafe(realpathSync(path), permitted)
  else if (status.mode & 0o002 && !(status.mode & permitted))
    throw new Refusal(`anybody may write to ${path} and replace what root runs: chmod o-w it, or choose another place`)
}

function requireDirectory(path: string, mayBeLink: boolean): void {
  const status = mayBeLink ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false })
  if (status !== undefined && !status.isDirectory()) throw new Refusal(`${path} is no directory: move it away`)
}

function requireNoDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Refusal(`${path} is a directory: move it away`)
}

/** A new directory belongs to root and can be read by everybody; one that exists is left as it is. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  const old = process.umask(0o022)
  mkdirSync(path, { mode: 0o755 })
  process.umask(old)
  chownSync(path, 0, 0)
}

/** Copies the files beside their places; links between them stay links where the filesystem is the same. */
function copy(files: readonly Entry[]): void {
  const copies = new Map<number, string>()
  try {
    for (const { path, status } of files) {
      const temporary = temporaryOf(path)
      rmSync(temporary, { force: true })
      const same = copies.get(status.ino)
      if (status.isSymbolicLink()) {
        symlinkSync(readlinkSync(join(dist, path)), temporary)
        lchownSync(temporary, 0, 0)
      } else if (same === undefined || !linked(same, temporary)) copyFile(join(dist, path), temporary, status)
      copies.set(status.ino, temporary)
    }
  } catch (error) {
    for (const { path } of files) rmSync(temporaryOf(path), { force: true })
    throw error
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch {
    return false // bin and libexec may be two filesystems
  }
}

function copyFile(from: string, to: string, { mode }: Stats): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL)
  const fd = openSync(to, 'r')
  try {
    fchownSync(fd, 0, 0)
    fchmodSync(fd, mode & 0o755)
    // A rename may reach the disk before the content does.
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function temporaryOf(path: string): string {
  return join(prefix, `${path}.new`)
}

function tryExecuting(file: string, path: string): void {
  const { error } = spawnSync(file, ['--version'], { stdio: 'ignore', timeout: 10_000 })
  if (error) {
    const cause =
      (error as NodeJS.ErrnoException).code === 'EACCES' ? 'is its filesystem mounted noexec?' : error.message
    throw new Refusal(`the kernel does not execute ${join(prefix, path)}: ${cause}`)
  }
}

/** Removes what is below a directory of ours and not in `kept`; the number of files. Mounts are neither entered nor removed. */
function removeOthers(directory: string, kept: ReadonlySet<string>): number {
  const device = lstatSync(join(prefix, directory)).dev
  const others = below(prefix, directory).filter(({ path, status }) => status.dev === device && !kept.has(path))
  let removed = 0
  for (const { path, status } of others.reverse()) {
    if (!status.isDirectory()) {
      rmSync(join(prefix, path))
      removed += 1
    } else if (readdirSync(join(prefix, path)).length === 0) rmdirSync(join(prefix, path))
  }
  return removed
}
