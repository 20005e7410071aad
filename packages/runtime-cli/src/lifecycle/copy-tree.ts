/**
 * Copies a tree of the image into a filesystem that nobody else sees yet: files, directories, links, and fifos, sockets and
 * device nodes, with owners, modes and extended attributes. Each entry is opened once, by the bytes of its name, and what
 * is copied is what was opened: what a name means can change meanwhile (CVE-2021-30465).
 */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { O_PATH } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import * as files from '@crio-lxc/core/sys/tree-files'
import { writeAll } from '@crio-lxc/core/sys/write-all'
import type { CopyBudget } from './copy-budget.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const HERE = Buffer.from('.')
/** Directories in one another: each holds two descriptors. */
const MAX_DEPTH = 200

export interface Copied {
  /** There are device nodes among it. */
  devices: boolean
}

/** Copies what the directory `from` has into the empty directory `to`, whose own owner and mode are the caller's matter. */
export function copyTree(from: number, to: number, budget: CopyBudget): Copied {
  const copied = { devices: false }
  copyEntries({ from, to, depth: 0 }, budget, copied)
  copyAttributes(from, to, budget)
  return copied
}

interface Pair {
  readonly from: number
  readonly to: number
  readonly depth: number
}

function copyEntries({ from, to, depth }: Pair, budget: CopyBudget, copied: Copied): void {
  if (depth > MAX_DEPTH) throw new RuntimeError('io', `there are more than ${MAX_DEPTH} directories in one another`)
  for (const name of files.entryNames(from)) {
    const entry = files.openAt(from, name, O_PATH | O_NOFOLLOW)
    try {
      budget.takeEntry()
      const stat = fstatSync(entry)
      if (stat.isDirectory()) copyDirectory({ entry, to, name, depth }, budget, copied)
      else if (stat.isFile()) copyFile({ entry, to, name }, budget)
      else copyOther({ entry, to, name }, stat, budget)
      copied.devices ||= stat.isCharacterDevice() || stat.isBlockDevice()
    } finally {
      closeSync(entry)
    }
  }
}

interface Entry {
  /** O_PATH fd of what is copied. */
  readonly entry: number
  /** The directory that gets the copy. */
  readonly to: number
  readonly name: files.Name
}

function copyDirectory(
  { entry, to, name, depth }: Entry & { readonly depth: number },
  budget: CopyBudget,
  copied: Copied,
): void {
  files.mkdirAt(to, name, 0o700)
  withBoth(
    files.openAt(entry, HERE, O_RDONLY | O_DIRECTORY),
    () => files.openAt(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    (source, target) => {
      copyEntries({ from: source, to: target, depth: depth + 1 }, budget, copied)
      copyOwner(source, target, budget)
    },
  )
}

function copyFile({ entry, to, name }: Entry, budget: CopyBudget): void {
  withBoth(
    openSync(`/proc/self/fd/${entry}`, O_RDONLY),
    () => files.openAt(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
    (source, target) => {
      const buffer = Buffer.allocUnsafe(65536)
      for (let count = readSync(source, buffer); count > 0; count = readSync(source, buffer)) {
        budget.take(count)
        writeAll(target, buffer.subarray(0, count))
      }
      copyOwner(source, target, budget)
    },
  )
}

/** What has no content but its name and, for links, the text. */
function copyOther({ entry, to, name }: Entry, stat: Stats, budget: CopyBudget): void {
  if (stat.isSymbolicLink()) {
    const target = files.readLink(entry)
    budget.take(target.length)
    files.symlinkAt(target, to, name)
  } else files.mknodAt(to, name, stat)
  files.chownAt(to, name, stat)
  // A link has no mode.
  if (!stat.isSymbolicLink()) files.chmodAt(to, name, stat.mode & 0o7777)
}

/** The owner first: a new one takes away set-user-ID bits and the capabilities of a file. */
function copyOwner(from: number, to: number, budget: CopyBudget): void {
  const { uid, gid, mode } = fstatSync(from)
  fchownSync(to, uid, gid)
  fchmodSync(to, mode & 0o7777)
  copyAttributes(from, to, budget)
}

/** Those that mean the same on another filesystem: labels and hashes of security modules are of the one that they are on. */
function copyAttributes(from: number, to: number, budget: CopyBudget): void {
  for (const [name, value] of files.attributesOf(from)) {
    if (!/^(user\.|trusted\.|system\.posix_acl_|security\.capability$)/.test(name)) continue
    budget.take(value.length)
    files.setAttribute(to, name, value)
  }
}

function withBoth(source: number, openTarget: () => number, use: (source: number, target: number) => void): void {
  try {
    const target = openTarget()
    try {
      use(source, target)
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}
