import type { Process } from '@crio-lxc/core/oci/spec'

/** True when a process needs a HOME: one that is set to nothing is, as in runc, none. */
export function lacksHome({ env = [] }: Process): boolean {
  const last = env.findLast((entry) => entry.startsWith('HOME='))
  return last === undefined || last === 'HOME='
}

/** The environment of the process: the last value of a name wins. `home` is for a process that lacks one. */
export function environmentOf({ env = [] }: Process, home: string | undefined): string[] {
  const byName = new Map<string, string>()
  for (const entry of env) {
    const name = entry.split('=', 1)[0] ?? ''
    byName.delete(name)
    byName.set(name, entry)
  }
  if (home !== undefined) byName.set('HOME', `HOME=${home}`)
  return [...byName.values()]
}

/** Where the executable may be: itself when it has a slash, else one place for each directory of PATH. */
export function executableCandidates(command: string, environment: readonly string[]): string[] {
  if (command.includes('/')) return [command]
  const path = environment.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length)
  if (!path) return []
  return path.split(':').map((directory) => `${directory || '.'}/${command}`)
}
