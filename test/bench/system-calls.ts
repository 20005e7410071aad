/** What strace says of a create: how many system calls all of its processes make, and where its first one waits. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine, forceDelete, type MeasuredRuntime, readPidFile } from './measured-runtime.ts'

export interface SystemCalls {
  readonly processes: number
  readonly calls: number
  /** Those in which the runtime's own process spends most of its time, the longest first. */
  readonly waits: readonly { readonly name: string; readonly calls: number; readonly ms: number }[]
  /** Milliseconds in all system calls of that process. */
  readonly ms: number
}

/** One create under strace. */
export async function traceCreate(runtime: MeasuredRuntime, id: string): Promise<SystemCalls> {
  const file = join(runtime.root, '..', 'strace')
  rmSync(file, { force: true })
  try {
    // -D: create is the caller's child and strace is not, which stays until the container ends.
    await runtime.timer.run(['strace', '-D', '-f', '-T', '-o', file, ...commandLine(runtime, 'create', id)])
    return summarize(await untilExited(file))
  } finally {
    const init = readPidFile(runtime, id)
    await forceDelete(runtime, id)
    if (existsSync(`/proc/${init}`)) await runtime.timer.reap(init)
  }
}

/** The lines until the first process has exited; strace writes them a little later. */
async function untilExited(file: string): Promise<string> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const lines = readFileSync(file, 'utf8')
    const pid = /^\d+/.exec(lines)?.[0]
    const end = new RegExp(`^${pid} +\\+\\+\\+ exited with \\d+ \\+\\+\\+$`, 'm').exec(lines)
    if (end) return lines.slice(0, end.index)
    if (Date.now() > deadline) throw new Error(`strace has not seen the end of create within ten seconds: ${file}`)
    await sleep(20)
  }
}

/** Counts the lines of `strace -f -T`; a call that another process interrupts has two, and counts once. */
export function summarize(lines: string): SystemCalls {
  const calls = [...lines.matchAll(/^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>).*?(?:<(\d+\.\d+)>)?$/gm)]
  const begun = calls.filter(([, , , bracket]) => bracket === '(')
  const first = begun[0]?.[1]
  const byName = new Map<string, { name: string; calls: number; ms: number }>()
  for (const [, pid, name = '', bracket, seconds] of calls) {
    if (pid !== first) continue
    const known = byName.get(name) ?? { name, calls: 0, ms: 0 }
    const more = { calls: known.calls + (bracket === '(' ? 1 : 0), ms: known.ms + 1000 * Number(seconds ?? 0) }
    byName.set(name, { name, ...more })
  }
  const waits = [...byName.values()].toSorted((a, b) => b.ms - a.ms)
  return {
    processes: new Set(begun.map(([, pid]) => pid)).size,
    calls: begun.length,
    waits: waits.slice(0, 3),
    ms: waits.reduce((sum, { ms }) => sum + ms, 0),
  }
}
