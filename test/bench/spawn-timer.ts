import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One process from spawn to exit. */
export interface Timing {
  /** Wall-clock time. */
  readonly ms: number
  /** The exit status as a shell has it. */
  readonly status: number
  /** Resident memory at its largest, in kB; spawn-timer.c says of which processes. */
  readonly peakKb: number
  /** Time on processors; spawn-timer.c says of which processes. */
  readonly cpuMs: number
  /** What was written to stdout and stderr until then. */
  readonly output: string
}

/** A running spawn-timer.c; its children are ordinary processes, orphans of theirs fall to it. */
export interface SpawnTimer {
  readonly pid: number
  /** Runs argv to its end, whatever that is. */
  call(argv: readonly string[]): Promise<Timing>
  /** Runs argv to its end. Throws with what it wrote when its status is not 0. */
  run(argv: readonly string[]): Promise<Timing>
  /** Waits for an orphan that has become a child; throws when it is none or outlives ten seconds. */
  reap(pid: number): Promise<Timing>
  close(): Promise<void>
}

/** Compiles spawn-timer.c into `directory` and returns the executable's path. */
export function compileSpawnTimer(directory: string): string {
  const executable = join(directory, 'spawn-timer')
  const source = join(import.meta.dirname, 'spawn-timer.c')
  const cc = spawnSync('cc', ['-O2', '-static', '-Wall', '-Wextra', '-Werror', '-o', executable, source], {
    encoding: 'utf8',
  })
  if (cc.status !== 0) throw new Error(`cannot compile ${source}: ${cc.error?.message ?? cc.stderr}`)
  return executable
}

/**
 * Starts a timer that sends its children's output to `log`. `prefix` is a command that ends by executing its arguments,
 * for a timer in namespaces of its own.
 */
export function startSpawnTimer(executable: string, log: string, prefix: readonly string[] = []): SpawnTimer {
  writeFileSync(log, '')
  const [file = executable, ...args] = [...prefix, executable, log]
  // A session of its own: ctrl-C must reach this program alone, which still has containers to delete.
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  if (child.pid === undefined) throw new Error(`cannot start ${file}`)
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  async function ask(verb: 'spawn' | 'reap', argv: readonly string[]): Promise<Timing> {
    writeFileSync(log, '')
    child.stdin.write(`${[verb, ...argv].join('\t')}\n`)
    const answer = await answers.next()
    if (answer.done) throw new Error(`the timer ended during ${verb} ${argv.join(' ')}`)
    const [nanoseconds, status, peakKb, cpuUs] = String(answer.value).split(' ').map(Number)
    if (nanoseconds === undefined || status === undefined || peakKb === undefined || cpuUs === undefined)
      throw new Error(`the timer answered ${answer.value}`)
    return { ms: nanoseconds / 1e6, status, peakKb, cpuMs: cpuUs / 1000, output: readFileSync(log, 'utf8') }
  }

  return {
    pid: child.pid,
    call: (argv) => ask('spawn', argv),
    async run(argv) {
      const timing = await ask('spawn', argv)
      if (timing.status === 0) return timing
      throw new Error(`${argv.join(' ')} ended with status ${timing.status}: ${timing.output.trim()}`)
    },
    async reap(pid) {
      const timing = await ask('reap', [String(pid)])
      if (timing.status >= 0) return timing
      throw new Error(`process ${pid} did not end within ten seconds, or is no child of the command's caller`)
    },
    async close() {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.stdin.end()
      await ended
    },
  }
}
