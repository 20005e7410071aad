import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a container may leave behind, each thing by a name that no later thing of its kind shares. */
export interface Census {
  /** Lines of /proc/self/mountinfo. */
  readonly mounts: ReadonlySet<string>
  /** Directories of every cgroup hierarchy. */
  readonly cgroups: ReadonlySet<string>
  /** "PID STARTTIME COMMAND" of every live process in user space. */
  readonly processes: ReadonlySet<string>
  /** "NUMBER TARGET" of this process's open files. */
  readonly descriptors: ReadonlySet<string>
  /** Paths below /run, and the entries of /tmp. */
  readonly files: ReadonlySet<string>
  /** Mode, owner and device number of /dev/null. */
  readonly devNull: string
}

/** The differences that stay: what is new, and the mounts and cgroups that are gone. */
export interface Leftover {
  readonly appeared: readonly string[]
  readonly vanished: readonly string[]
  readonly devNull: string
}

const allKinds = ['mounts', 'cgroups', 'processes', 'descriptors', 'files'] as const
type Kind = (typeof allKinds)[number]
const settleTimeoutMs = 10_000

/** Counts everything on the machine that a container could have left. */
export function takeCensus(): Census {
  const { mode, uid, gid, rdev } = statSync('/dev/null')
  return {
    mounts: new Set(readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')),
    cgroups: new Set(listDirectories('/sys/fs/cgroup')),
    processes: new Set(listProcesses()),
    descriptors: new Set(listDescriptors()),
    files: new Set([...listTree('/run'), ...readDirectory('/tmp').map((name) => join('/tmp', name))]),
    devNull: `${mode.toString(8)} ${uid}:${gid} ${rdev}`,
  }
}

/**
 * Compares now with `before`. A difference counts when it outlives ten seconds: an unrelated process of the machine
 * may come and go, and a killed process takes a moment to die.
 */
export async function findLeftover(before: Census, kinds: readonly Kind[] = allKinds): Promise<Leftover> {
  const deadline = Date.now() + settleTimeoutMs
  let leftover = compare(before, takeCensus(), kinds)
  while (leftover.appeared.length + leftover.vanished.length > 0 && Date.now() < deadline) {
    await sleep(250)
    const now = compare(before, takeCensus(), kinds)
    leftover = {
      appeared: leftover.appeared.filter((entry) => now.appeared.includes(entry)),
      vanished: leftover.vanished.filter((entry) => now.vanished.includes(entry)),
      devNull: now.devNull,
    }
  }
  return leftover
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
    // A program of this machine may end or remove its files meanwhile; a mount or cgroup of the host may not go.
    vanished: kinds
      .filter((kind) => kind === 'mounts' || kind === 'cgroups')
      .flatMap((kind) => missingFrom(after[kind], before[kind]).map(label(kind))),
    devNull: after.devNull,
  }
}

/** Zombies are not counted: they wait for a parent, and none of the runtime's processes is one any more. */
function listProcesses(): string[] {
  return readDirectory('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [, command, rest] = readText(`/proc/${pid}/stat`)?.match(/^\d+ \((.*)\) (.*)/s) ?? []
      const [state, parent, ...fields] = rest?.split(' ') ?? []
      const isKernelThread = pid === '2' || parent === '2'
      return state === undefined || state === 'Z' || isKernelThread ? [] : [`${pid} ${fields[17]} ${command}`]
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
