/** What must hold after anything has crashed. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Bundle } from '../../support/bundle.ts'
import type { Containers, State } from '../../support/containers.ts'
import { leftovers } from '../../support/leftovers.ts'
import { commandLines, isAlive } from '../../support/proc.ts'
import { messageOf, type Result, runtimePath } from '../../support/runtime.ts'
import { waitFor } from '../../support/wait-for.ts'

const libexec = resolve(dirname(runtimePath), '../libexec/crio-lxc')

/** Throws unless state, delete --force and another create of the id do what docs/reliability.md promises. */
export async function expectSurvived(
  t: Containers,
  id: string,
  bundle: Bundle,
  host?: () => Promise<void>,
): Promise<void> {
  await expectTruth(t, id)
  await expectOk(t, ['delete', '--force', id])
  await expectNothing(t, id)
  await host?.()
  await expectOk(t, ['create', '--bundle', bundle.path, id])
  await expectOk(t, ['delete', '--force', id])
  await expectNothing(t, id)
}

/** state says what is, or that there is nothing. */
export async function expectTruth(t: Containers, id: string): Promise<State | undefined> {
  const result = await t.runtime(['state', id])
  if (result.exitCode !== 0) {
    if (!messageOf(result).includes('container does not exist')) throw new Error(`state: ${messageOf(result)}`)
    return undefined
  }
  const state = JSON.parse(result.stdout) as State
  const { status, pid } = state
  const executable = pid === 0 ? '' : readExecutable(pid)
  const parked = pid > 0 && identityOf(`/proc/${pid}/exe`) === identityOf(join(libexec, 'crio-lxc-init'))
  const truth: Record<State['status'], boolean> = {
    creating: pid === 0,
    created: parked,
    // Between the two looks it may have gone on.
    running: pid > 0 && (isAlive(pid) || executable === ''),
    paused: pid > 0,
    stopped: pid === 0,
  }
  if (!truth[status]) throw new Error(`state says ${status}, pid ${pid}, which runs ${executable}`)
  return state
}

export async function expectOk(t: Containers, args: readonly string[]): Promise<void> {
  const result = await t.runtime(args)
  if (result.exitCode !== 0) throw new Error(`${args[0]}: exit ${result.exitCode}: ${result.stderr.trim()}`)
}

/** No file below the root, process, cgroup or mount. What was killed takes a moment to end. */
export async function expectNothing(t: Containers, id: string): Promise<void> {
  const left = (): string[] => [
    ...readdirSync(t.root).map((name) => `file ${name}`),
    ...leftovers({ ids: [id], directories: [t.directory], root: t.root }),
    ...programProcesses(),
    ...[...hookProcesses(t)].map(([pid, line]) => `hook ${pid}: ${line}`),
    ...(existsSync('/run/lxc/lock') ? ['/run/lxc/lock'] : []),
  ]
  let last: string[] = []
  try {
    await waitFor(
      () => {
        last = left()
        return last.length === 0
      },
      { timeoutMs: 5000 },
    )
  } catch {
    throw new Error(`left: ${last.join('; ')}`)
  }
}

/** Live processes of this installation: monitors and inits, started or not. */
function programProcesses(): string[] {
  const programs = ['crio-lxc-init', 'crio-lxc-start', 'crio-lxc-hook']
  const own = new Set(programs.map((name) => identityOf(join(libexec, name))))
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || !isAlive(Number(name))) return []
    const file = identityOf(`/proc/${name}/exe`)
    return file !== undefined && own.has(file)
      ? [`process ${name} ${readProc(name, 'cgroup').trim().split('\n').at(-1)}`]
      : []
  })
}

/** What the environment of a hook and of everything that it starts has, `NAME=VALUE`. */
export const hookMark = (t: Containers): string => `CRASH_HOOK_OF=${t.directory}`

/** Command lines of hooks and of what they have started, by pid. */
export function hookProcesses(t: Containers): Map<number, string> {
  const mark = hookMark(t)
  return new Map([...commandLines()].filter(([pid]) => readProc(pid, 'environ').includes(mark)))
}

/** Device and inode: init and exec run theirs from a mount that is attached nowhere, which has no path. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

function readExecutable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

function readProc(pid: string | number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** One sentence, lower case, of ours; undefined when it is. liblxc may have printed a line before it. */
export function badMessage({ stderr }: Result, { liblxc = false } = {}): string | undefined {
  const ours = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('warning: ') && !(liblxc && /^[A-Z]/.test(line)))
  const [line = ''] = ours
  const good = ours.length === 1 && line !== '' && !/^internal error|^[A-Z]\w+Error|^panic/.test(line)
  return good ? undefined : `not one sentence: ${JSON.stringify(stderr.slice(0, 400))}`
}
