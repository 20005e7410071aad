import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../support/wait-for.ts'

/** Kills what is in these cgroups and below, and removes them; one that does not exist is no error. */
export async function removeCgroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories.flatMap(treeOf)) {
    for (const pid of processesIn(directory)) process.kill(pid, 'SIGKILL')
    await waitFor(() => processesIn(directory).length === 0, { timeoutMs: 5000, what: `${directory} to be empty` })
    rmdirSync(directory)
  }
}

/** The directory and everything below it, the deepest first. */
function treeOf(directory: string): string[] {
  if (!existsSync(directory)) return []
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...below.flatMap(({ name }) => treeOf(join(directory, name))), directory]
}

function processesIn(cgroup: string): number[] {
  const text = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').trim()
  return text === '' ? [] : text.split('\n').map(Number)
}
