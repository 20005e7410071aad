/** What a container may leave on the host, found by its id and its bundle. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLines, findCgroups } from './proc.ts'

export interface Traces {
  readonly ids: readonly string[]
  /** Directories whose appearance in any mount of the host is a leak. */
  readonly directories: readonly string[]
  readonly root: string
}

/** One line per thing that is left; none when everything is gone. */
export function leftovers({ ids, directories, root }: Traces): string[] {
  const named = ids.length === 0 ? undefined : new RegExp(`(^|[^A-Za-z0-9-])(${ids.join('|')})($|[^A-Za-z0-9-])`)
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return [
    ...ids.filter((id) => existsSync(join(root, id))).map((id) => `runtime directory ${join(root, id)}`),
    ...(named === undefined ? [] : findCgroups((name) => named.test(name)).map((path) => `cgroup ${path}`)),
    ...(named === undefined ? [] : processes(named)),
    ...mounts
      .filter((line) => directories.some((directory) => line.includes(directory)))
      .map((line) => `mount ${line}`),
  ]
}

function processes(named: RegExp): string[] {
  return [...commandLines()].filter(([, line]) => named.test(line)).map(([pid, line]) => `process ${pid}: ${line}`)
}

/** What is below a runtime root, but for the compiled filters that stay there. */
export function inRuntimeRoot(root: string): string[] {
  return readdirSync(root).filter((name) => !name.startsWith('.:seccomp-'))
}
