/** Readers of the host's /proc and cgroup trees. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Fields of /proc/PID/stat that the tests need; undefined when there is no such process. */
export function processStat(
  pid: number,
): { state: string; ppid: number; threads: number; startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', ppid: Number(fields[1]), threads: Number(fields[17]), startTime: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/** True while anything of the process runs: one whose first thread has exited is shown as a zombie, with threads. */
export function isAlive(pid: number): boolean {
  const stat = processStat(pid)
  return stat !== undefined && stat.state !== 'X' && (stat.state !== 'Z' || stat.threads > 1)
}

/** `net:[4026531840]` of a process. */
export function namespaceOf(pid: number | 'self', kind: string): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`)
}

/** /proc/PID/cgroup as controller list -> path: `{'pids': '/a', 'name=systemd': '/a', '': '/a'}`. */
export function cgroupsOf(pid: number | 'self'): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  return Object.fromEntries(lines.map((line) => [line.split(':')[1] ?? '', line.split(':').slice(2).join(':')]))
}

/** Mount point of each hierarchy by its key in /proc/PID/cgroup. */
export function cgroupMounts(): Record<string, string> {
  const mounts: Record<string, string> = {}
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [type, , options = ''] = after.split(' ')
    const point = before.split(' ')[4] ?? ''
    if (type === 'cgroup2') mounts[''] = point
    if (type !== 'cgroup') continue
    for (const key of Object.keys(cgroupsOf('self'))) {
      if (key !== '' && key.split(',').every((part) => options.split(',').includes(part))) mounts[key] = point
    }
  }
  return mounts
}

/**
 * Lines of the host's mountinfo but those of what others, tests above all, mount for themselves meanwhile in their
 * temporary directories; those at or below the directories in `own` are among them.
 */
export function hostMounts(own: readonly string[] = []): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
  return lines.filter(
    (line) => !/^(?:\S+ ){4}\/(?:tmp|run\/netns)\//.test(line) || own.some((path) => line.includes(path)),
  )
}

/** Every cgroup directory of any hierarchy whose last component satisfies `matches`. */
export function findCgroups(matches: (name: string) => boolean): string[] {
  const found: string[] = []
  const walk = (directory: string): void => {
    let entries: import('node:fs').Dirent[]
    try {
      entries = readdirSync(directory, { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const path = join(directory, entry.name)
      if (matches(entry.name)) found.push(path)
      walk(path)
    }
  }
  for (const mount of new Set(Object.values(cgroupMounts()))) walk(mount)
  return found
}

/** Command lines of all processes, arguments joined by spaces. */
export function commandLines(): Map<number, string> {
  const lines = new Map<number, string>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      lines.set(Number(name), readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim())
    } catch {}
  }
  return lines
}

/** Direct children of a process. */
export function childrenOf(pid: number): number[] {
  return [...commandLines().keys()].filter((candidate) => processStat(candidate)?.ppid === pid)
}

/** Octal mode and owner of a file: `666 0:0`. */
export function modeAndOwner(path: string): string {
  const { mode, uid, gid } = statSync(path)
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`
}

/** Every path below a directory: `a/` a directory, `b -> c` a link, `d` anything else. */
export function listTree(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name)
      if (entry.isDirectory()) return [`${path}/`, ...listTree(directory, path)]
      if (entry.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(directory, path))}`]
      return [path]
    })
}

/** User and system time of a process, milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return 10 * (Number(fields[11]) + Number(fields[12]))
}
