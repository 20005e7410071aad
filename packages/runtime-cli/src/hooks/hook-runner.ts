/** One call of crio-lxc-hook. */

import { concat, decode } from '@crio-lxc/core/abi/bytes'
import { SIGKILL } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { HookAnswer, HookRequest, HookRun, HookStart } from '@crio-lxc/core/hook/hook-request'
import { StderrExcerpt } from '@crio-lxc/core/hook/stderr-excerpt'
import { logSpan, takesSpans } from '@crio-lxc/core/host/log/logger'
import { signalPidfd } from '@crio-lxc/core/host/process/pidfd'
import { readProcStat } from '@crio-lxc/core/host/process/proc'
import { fdsOf } from '@crio-lxc/core/plan/container-entry'
import { close, type Fd, pipe, poll, read } from '@crio-lxc/core/sys/fd'
import { withFds } from '@crio-lxc/core/sys/fd-scope'
import { memfdCreate, sealedFile } from '@crio-lxc/core/sys/memfd'
import { asSubreaper, pidfdOpen } from '@crio-lxc/core/sys/process'
import { kill, monotonicMs, ownPid } from '@crio-lxc/core/sys/program'
import { type Exit, spawn, wait, waitForEnded } from '@crio-lxc/core/sys/spawn'
import { programsOf } from '../installation/programs.ts'
import type { Settings } from '../settings.ts'

const END_MS = 5000

/**
 * Returns the failures of hooks. Throws RuntimeError `hook-failed` when crio-lxc-hook ends without an answer; the hook that
 * it ran has ended then, with everything in its process group. `enterMs` is the verb's time-out, for what comes before a hook.
 */
export function runHooks(settings: Settings, runs: readonly HookRun[], enterMs: number): readonly string[] {
  if (runs.every(({ hooks }) => hooks.length === 0)) return []
  const { hook, executor } = programsOf(settings)
  const traced = takesSpans()
  const from = traced ? monotonicMs() : 0
  return withFds((fds) => {
    const request = fds.keep(
      sealedFile(
        'hooks',
        JSON.stringify({ init: executor, runs, enterMs, ...(traced && { traced }) } satisfies HookRequest),
      ),
    )
    // A file, because a pipe that nobody reads would hold it up.
    const stderr = fds.keep(memfdCreate('stderr'))
    const [answer, answerWrite] = pipe()
    fds.keep(answer)
    fds.keep(answerWrite)
    const entered = runs.flatMap(({ container }) => (container ? fdsOf(container) : []))
    // A hook whose parent is killed becomes a child of this process: its pid is its own until it is reaped here.
    return asSubreaper(() => {
      const pid = spawn({
        path: hook,
        args: ['crio-lxc-hook', String(request), String(answerWrite)],
        env: [],
        fds: [request, answerWrite, ...new Set(entered)],
        stderr,
      })
      // Only the child may hold it: end of file is how its end is seen.
      close(fds.release(answerWrite))
      const { starts, failures } = parseAnswer(
        readAnswer(answer, () => {
          // Without a reader of its answer it kills the hook.
          close(fds.release(answer))
          endRunner(pid)
        }),
      )
      const last = starts.at(-1)
      const exit = wait(pid)
      if (traced) traceHooks(starts, { from, pid })
      const orphaned = last !== undefined && endOrphan(last.pid)
      if (failures) return failures
      const points = runs.filter(({ hooks }) => hooks.length > 0).map(({ point }) => `hooks.${point}`)
      const what = orphaned ? `${last.hook} was ended` : `run ${points.join(', ')}`
      throw new RuntimeError('hook-failed', `${what}: ${hook} ${describe(exit)} without an answer${lastWords(stderr)}`)
    })
  })
}

/** Throws Interrupted when the caller of an embedded runtime gives up, after `end`. */
function readAnswer(answer: Fd, end: () => void): string {
  const pieces: Uint8Array[] = []
  try {
    for (;;) {
      poll([answer], -1)
      const piece = new Uint8Array(4096)
      const count = read(answer, piece)
      if (count === 0) return decode(concat(...pieces))
      pieces.push(piece.subarray(0, count))
    }
  } catch (error) {
    end()
    throw error
  }
}

function endRunner(pid: number): void {
  const pidfd = pidfdOpen(pid)
  try {
    if (!poll([pidfd], END_MS)[0]) signalPidfd(pidfd, SIGKILL)
    wait(pid)
  } finally {
    close(pidfd)
  }
}

/** As a clause of a sentence; what the engine says of its own death may be long. */
function lastWords(stderr: number): string {
  const excerpt = new StderrExcerpt()
  const bytes = new Uint8Array(4096)
  excerpt.add(bytes.subarray(0, read(stderr, bytes, 0)))
  return excerpt.clause()
}

/** Each lasts until the next is about to run; what it took to get there is part of the one before. */
function traceHooks(starts: readonly HookStart[], { from, pid }: { from: number; pid: number }): void {
  const marks = [{ at: from, hook: 'crio-lxc-hook' }, ...starts]
  const now = monotonicMs()
  const process = { pid, name: 'crio-lxc-hook' }
  for (const [index, { at = from, hook }] of marks.entries())
    logSpan({ name: hook, component: 'hooks', from: at, to: marks[index + 1]?.at ?? now, process })
}

/** The hooks that were started, and the failures when there is an answer; whoever is killed may leave half a line. */
function parseAnswer(text: string): { readonly starts: readonly HookStart[] } & Partial<HookAnswer> {
  const lines = text.split('\n').map(parseLine)
  const starts = lines.filter((line): line is HookStart => line !== undefined && 'pid' in line)
  const [answer] = lines.filter((line): line is HookAnswer => line !== undefined && 'failures' in line)
  return { starts, ...answer }
}

function parseLine(line: string): HookStart | HookAnswer | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Kills the process group of a hook that has been left behind; false when there is none. */
function endOrphan(pid: number): boolean {
  if (readProcStat(pid)?.parent !== ownPid()) return false
  kill(-pid, SIGKILL)
  // What traces it in the container may keep it: whoever is the parent next inherits it then.
  waitForEnded(pid)
  return true
}

const describe = (exit: Exit): string =>
  'signal' in exit ? `was killed by signal ${exit.signal}` : `ended with exit code ${exit.code}`
