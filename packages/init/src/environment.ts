import type { Process } from '@crio-lxc/core/oci/spec'

/** The environment of the process: the last value of a name wins, and HOME is set when the spec does not. */
export function environmentOf({ env = [] }: Process, home: string): string[] {
  const byName = new Map<string, string>()
  for (const entry of env) {
    const name = entry.split('=', 1)[0] ?? ''
    byName.delete(name)
    byName.set(name, entry)
  }
  if (!byName.has('HOME')) byName.set('HOME', `HOME=${home}`)
  return [...byName.values()]
}

/** Where the executable may be: itself when it has a slash, else one place for each directory of PATH. */
export function executableCandidates(command: string, environment: readonly string[]): string[] {
  if (command.includes('/')) return [command]
  const path = environment.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length)
  if (!path) return []
  return path.split(':').map((directory) => `${directory || '.'}/${command}`)
}
