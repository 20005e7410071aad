import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a container may leave behind, each thing by a name that no later thing of its kind shares. */
export interface Census {
  /** Lines of /proc/self/mountinfo. */
  readonly mounts: ReadonlySet<string>
  /** Directories of every cgroup hierarchy. */
  readonly cgroups: ReadonlySet<string>
  /** "PID COMMAND" of every live process below the subreapers that call the runtime; nothing can leave them. */
  readonly processes: ReadonlySet<string>
  /** "NUMBER TARGET" of this process's open files. */
  readonly descriptors: ReadonlySet<string>
  /** Paths below /run, and the entries of /tmp but those of the test runner. */
  readonly files: ReadonlySet<string>
  /** Mode, owner and device number of /dev/null. */
  readonly devNull: string
}

/** The differences that stay: what is new, and the mounts that are gone. */
export interface Leftover {
  readonly appeared: readonly string[]
  readonly vanished: readonly string[]
  readonly devNull: string
}

const allKinds = ['mounts', 'cgroups', 'processes', 'descriptors', 'files'] as const
type Kind = (typeof allKinds)[number]
const settleTimeoutMs = 10_000
/** vitest keeps compiled tests in directories of such names, and there may be another vitest on the machine. */
const runnerDirectory = /^[\w-]{21}$/

/** Counts everything on the machine that a container could have left; `subreapers` are the pids of all callers. */
export function takeCensus(subreapers: readonly number[]): Census {
  const { mode, uid, gid, rdev } = statSync('/dev/null')
  return {
    mounts: new Set(readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')),
    cgroups: new Set(listDirectories('/sys/fs/cgroup')),
    processes: new Set(subreapers.flatMap(listDescendants)),
    descriptors: new Set(listDescriptors()),
    files: new Set([
      ...listTree('/run'),
      ...readDirectory('/tmp')
        .filter((name) => !runnerDirectory.test(name))
        .map((name) => join('/tmp', name)),
    ]),
    devNull: `${mode.toString(8)} ${uid}:${gid} ${rdev}`,
  }
}

/**
 * Compares now with `before`. A difference counts when it outlives ten seconds: an unrelated process of the machine
 * may come and go, and a killed process takes a moment to die.
 */
export async function findLeftover(
  before: Census,
  subreapers: readonly number[],
  kinds: readonly Kind[] = allKinds,
): Promise<Leftover> {
  const deadline = Date.now() + settleTimeoutMs
  let leftover = compare(before, takeCensus(subreapers), kinds)
  while (leftover.appeared.length + leftover.vanished.length > 0 && Date.now() < deadline) {
    await sleep(250)
    const now = compare(before, takeCensus(subreapers), kinds)
    leftover = {
      appeared: leftover.appeared.filter((entry) => now.appeared.includes(entry)),
      vanished: leftover.vanished.filter((entry) => now.vanished.includes(entry)),
      devNull: now.devNull,
    }
  }
  return { ...leftover, appeared: kinds.flatMap((kind) => attributable(kind, leftover.appeared)) }
}

/** Fewer than this in a test of at least twenty containers are not one for each. */
const FEW = 10

/**
 * Other programs of the machine make files and cgroups meanwhile. Without a name of ours a few of them are theirs: what
 * a runtime leaves behind, it leaves once for every container.
 */
function attributable(kind: Kind, appeared: readonly string[]): string[] {
  const entries = appeared.filter((entry) => entry.startsWith(`${kind}: `))
  if ((kind !== 'files' && kind !== 'cgroups') || entries.length >= FEW) return entries
  return entries.filter((entry) => /lxc|leak|runc/.test(entry))
}

/** What findLeftover returns when nothing is left. */
export function nothingLeft(before: Census): Leftover {
  return { appeared: [], vanished: [], devNull: before.devNull }
}

function compare(before: Census, after: Census, kinds: readonly Kind[]): Leftover {
  const missingFrom = (some: ReadonlySet<string>, all: ReadonlySet<string>) =>
    [...all].filter((entry) => !some.has(entry))
  const label = (kind: string) => (entry: string) => `${kind}: ${entry}`
  return {
    appeared: kinds.flatMap((kind) => missingFrom(before[kind], after[kind]).map(label(kind))),
    // A program of this machine may end, remove its files or unmount what it had mounted for a while, but no other
    // mount of the host may go.
    vanished: kinds.includes('mounts')
      ? missingFrom(after.mounts, before.mounts)
          .filter((line) => !/^(\S+ ){4}\/(var\/)?(tmp|lib\/containers)\//.test(line))
          .map(label('mounts'))
      : [],
    devNull: after.devNull,
  }
}

/** Zombies are not counted: they wait for the subreaper, and none of the runtime's processes is one any more. */
function listDescendants(pid: number): string[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`)?.split(' ').filter(Boolean).map(Number) ?? []
  return children.flatMap((child) => {
    const [, command, state] = readText(`/proc/${child}/stat`)?.match(/^\d+ \((.*)\) (.)/s) ?? []
    const alive = command !== undefined && state !== 'Z'
    return alive ? [`${child} ${command}`, ...listDescendants(child)] : []
  })
}

function listDescriptors(): string[] {
  return readDirectory('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return [] // the descriptor that listed the directory
    }
  })
}

function listDirectories(path: string): string[] {
  return [
    path,
    ...readEntries(path).flatMap((entry) => (entry.isDirectory() ? listDirectories(join(path, entry.name)) : [])),
  ]
}

function listTree(path: string): string[] {
  return readEntries(path).flatMap((entry) => {
    const below = join(path, entry.name)
    return entry.isDirectory() && !isMountPoint(below) ? [below, ...listTree(below)] : [below]
  })
}

function isMountPoint(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.dev !== lstatSync(join(path, '..'), { throwIfNoEntry: false })?.dev
}

/** The entries of a directory; none when it has gone since its parent was read. */
function readEntries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return []
  }
}

function readDirectory(path: string): string[] {
  return readEntries(path).map(({ name }) => name)
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
