import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { listProcesses } from '@crio-lxc/core/host/cgroup/cgroup-processes'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import { processesOfNamespace } from '@crio-lxc/core/host/process/pid-namespace'
import { capture } from '@crio-lxc/core/sys/capture'
import { fileExists } from '@crio-lxc/core/sys/files'
import { environment } from '@crio-lxc/core/sys/program'
import { loadContainer } from '../container/load-container.ts'
import type { Settings } from '../settings.ts'

/** Pids on the host of every process in the container's cgroup, or of its pid namespace when it has none there. */
export function containerPids(settings: Settings, id: string): number[] {
  const container = loadContainer(settings, id)
  const { facts, init } = container
  const pids = ownsCgroup(container) ? listProcesses(cgroupLayout(), facts.cgroupDir) : []
  return pids.length === 0 && init ? processesOfNamespace(init.init) : pids
}

/** The header of ps(1), run with `args` (default `-ef`), and its lines about `pids`. Throws RuntimeError `io`. */
export function processTable(pids: readonly number[], args: readonly string[]): string {
  // podman calls without PATH.
  const path = environment()['PATH'] || '/usr/sbin:/usr/bin:/sbin:/bin'
  const env = Object.entries({ ...environment(), PATH: path }).map(([name, value]) => `${name}=${value}`)
  const ps = path
    .split(':')
    .map((directory) => `${directory}/ps`)
    .find(fileExists)
  if (ps === undefined) throw new RuntimeError('io', 'run ps: it is not in PATH: install procps')
  const wanted = args.length > 0 ? args : ['-ef']
  const { exit, stdout, stderr } = capture({ path: ps, args: ['ps', ...wanted], env })
  if (exit !== 0) {
    // Below the first line is how ps is used.
    const [problem = ''] = stderr.trim().split('\n')
    const advice = args.length > 0 ? ': what stands behind the id is for ps(1)' : ''
    throw new RuntimeError('io', `ps ${wanted.join(' ')}: ${problem || `exit code ${exit}`}${advice}`)
  }
  return filterTable(stdout, pids)
}

/** Lines whose column PID is one of `pids`, below the header. Throws RuntimeError `usage` when there is no such column. */
export function filterTable(table: string, pids: readonly number[]): string {
  const [header = '', ...lines] = table.split('\n')
  const column = words(header).indexOf('PID')
  if (column < 0)
    throw new RuntimeError(
      'usage',
      "couldn't find PID field in ps output: let ps print the column, such as with -o pid,args",
    )
  const wanted = new Set(pids.map(String))
  return [header, ...lines.filter((line) => wanted.has(words(line)[column] ?? ''))].map((line) => `${line}\n`).join('')
}

function words(line: string): string[] {
  return line.trim().split(/\s+/)
}
