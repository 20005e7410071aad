/**
 * Copies a tree of the image into a filesystem that nobody else sees yet: files, directories, links, and fifos, sockets and
 * device nodes, with owners, modes and extended attributes. Each entry is opened once, by the bytes of its name, and what
 * is copied is what was opened: what a name means can change meanwhile (CVE-2021-30465).
 */

import { O_PATH } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { directoryEntries } from '@crio-lxc/core/sys/directory'
import { close, type Fd, read, writeAll } from '@crio-lxc/core/sys/fd'
import {
  type FileStatus,
  fstat,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  openAt,
  openFile,
} from '@crio-lxc/core/sys/files'
import { changeModeOf, changeOwnerOf } from '@crio-lxc/core/sys/owner-and-mode'
import * as files from '@crio-lxc/core/sys/tree-files'
import type { CopyBudget } from './copy-budget.ts'

const HERE = '.'
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
  for (const { name } of directoryEntries(from)) {
    const entry = openAt(from, name, O_PATH | O_NOFOLLOW)
    try {
      budget.takeEntry()
      const stat = fstat(entry)
      if (stat.isDirectory()) copyDirectory({ entry, to, name, depth }, budget, copied)
      else if (stat.isFile()) copyFile({ entry, to, name }, budget)
      else copyOther({ entry, to, name }, stat, budget)
      copied.devices ||= stat.isCharacterDevice() || stat.isBlockDevice()
    } finally {
      close(entry)
    }
  }
}

interface Entry {
  /** O_PATH fd of what is copied. */
  readonly entry: number
  /** The directory that gets the copy. */
  readonly to: number
  readonly name: string
}

function copyDirectory(
  { entry, to, name, depth }: Entry & { readonly depth: number },
  budget: CopyBudget,
  copied: Copied,
): void {
  files.mkdirAt(to, name, 0o700)
  withBoth(
    openAt(entry, HERE, O_RDONLY | O_DIRECTORY),
    () => openAt(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    (source, target) => {
      copyEntries({ from: source, to: target, depth: depth + 1 }, budget, copied)
      copyOwner(source, target, budget)
    },
  )
}

function copyFile({ entry, to, name }: Entry, budget: CopyBudget): void {
  withBoth(
    openFile(`/proc/self/fd/${entry}`, O_RDONLY),
    () => openAt(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
    (source, target) => {
      const buffer = new Uint8Array(65536)
      for (let count = read(source, buffer); count > 0; count = read(source, buffer)) {
        budget.take(count)
        writeAll(target, buffer.subarray(0, count))
      }
      copyOwner(source, target, budget)
    },
  )
}

/** What has no content but its name and, for links, the text. */
function copyOther({ entry, to, name }: Entry, stat: FileStatus, budget: CopyBudget): void {
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
  const { uid, gid, mode } = fstat(from)
  changeOwnerOf(to, uid, gid)
  changeModeOf(to, mode & 0o7777)
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

function withBoth(source: Fd, openTarget: () => Fd, use: (source: number, target: number) => void): void {
  try {
    const target = openTarget()
    try {
      use(source, target)
    } finally {
      close(target)
    }
  } finally {
    close(source)
  }
}
