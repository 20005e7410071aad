import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeBenchBundle } from './bench-bundle.ts'
import { describeMachine, versionOf, withoutHybridUnified } from './machine.ts'
import { forceDelete, type MeasuredRuntime } from './measured-runtime.ts'
import { newestCrun } from './newest-crun.ts'
import type { Circumstances } from './report.ts'
import { compileSpawnTimer, type SpawnTimer, startSpawnTimer } from './spawn-timer.ts'
import { median } from './statistics.ts'

export interface WorkbenchOptions {
  /** The crio-lxc under measurement. */
  readonly subject: string
  readonly rounds: number
  /** How many `--scale` makes. */
  readonly containers: number
  /** Scopes of systemd's instead of cgroups of one's own. */
  readonly systemd: boolean
  readonly interrupted: () => boolean
}

const warmUpRounds = 3
/** The id of every container that is alone. */
export const id = 'bench'

/** The directory, the processes and the containers of one run; close() removes all of them, whatever happened. */
export class Workbench {
  // On a tmpfs, as /run is on a real host: otherwise the disk is measured too.
  readonly directory: string = mkdtempSync('/dev/shm/crio-lxc-bench-')
  /** The runtimes that are compared, crio-lxc last. */
  readonly runtimes: MeasuredRuntime[] = []
  readonly rounds: number
  readonly containers: number
  readonly #options: WorkbenchOptions
  readonly #executable: string
  readonly #timers: SpawnTimer[] = []
  readonly #others: MeasuredRuntime[] = []
  readonly #programs: string[] = []
  readonly bundle: string

  constructor(options: WorkbenchOptions) {
    this.#options = options
    this.rounds = options.rounds
    this.containers = options.containers
    try {
      this.#executable = compileSpawnTimer(this.directory)
      this.bundle = makeBenchBundle(this.directory)
    } catch (error) {
      rmSync(this.directory, { recursive: true })
      throw error
    }
    const timer = this.addTimer()
    this.#compare('runc', 'runc', timer)
    const forCrun = this.addTimer(withoutHybridUnified())
    for (const crun of cruns()) this.#compare(crun, versionOf(crun).replace(' version', ''), forCrun)
    this.#compare(options.subject, 'crio-lxc', timer)
  }

  /** crio-lxc as it is compared. */
  get subject(): MeasuredRuntime {
    return this.named('crio-lxc')
  }

  named(name: string): MeasuredRuntime {
    const found = this.runtimes.find((runtime) => runtime.name === name)
    if (found === undefined) throw new Error(`no runtime ${name}`)
    return found
  }

  /** The same executable with more global options, which is not compared. */
  variant(of: MeasuredRuntime, ...more: string[]): MeasuredRuntime {
    const name = `${of.name} ${more[0]}`
    const variant = { ...of, name, argv: [...of.argv, ...more], root: this.#makeRoot(name) }
    this.#others.push(variant)
    return variant
  }

  /** One more caller for what runs at the same time, in the namespaces of the runtime's own. */
  callerFor(runtime: MeasuredRuntime): SpawnTimer {
    return this.addTimer(runtime.name.startsWith('crun') ? withoutHybridUnified() : [])
  }

  addTimer(prefix: readonly string[] = []): SpawnTimer {
    const timer = startSpawnTimer(this.#executable, join(this.directory, `timer-${this.#timers.length}.log`), prefix)
    this.#timers.push(timer)
    return timer
  }

  /** Rounds in which every runtime has its turn; who is first rotates, so that no one always follows the same neighbour. */
  async inRounds<T>(
    turn: (runtime: MeasuredRuntime) => Promise<T>,
    runtimes: readonly MeasuredRuntime[] = this.runtimes,
  ): Promise<Map<string, T[]>> {
    const samples = new Map<string, T[]>(runtimes.map(({ name }) => [name, []]))
    for (let round = -warmUpRounds; round < this.rounds; round++) {
      const first = (round + warmUpRounds) % runtimes.length
      for (const runtime of [...runtimes.slice(first), ...runtimes.slice(0, first)]) {
        this.goOn()
        const sample = await turn(runtime)
        if (round >= 0) samples.get(runtime.name)?.push(sample)
      }
    }
    return samples
  }

  /** Throws once somebody has asked for the end: then everything is removed. */
  goOn(): void {
    if (this.#options.interrupted()) throw new Error('interrupted')
  }

  /** Where and how it was measured, and what an empty process costs the timer. */
  async circumstances(): Promise<Circumstances> {
    const samples: { ms: number; peakKb: number }[] = []
    for (let round = 0; round < this.rounds; round++)
      samples.push(await this.subject.timer.run(['/bin/busybox', 'true']))
    return {
      rounds: this.rounds,
      date: new Date().toISOString().slice(0, 10),
      machine: describeMachine(this.#programs),
      timerOverheadMs: median(samples.map(({ ms }) => ms)),
      timerPeakKb: median(samples.map(({ peakKb }) => peakKb)),
    }
  }

  async close(): Promise<void> {
    for (const runtime of [...this.runtimes, ...this.#others]) await forceDelete(runtime, id)
    for (const timer of this.#timers) await timer.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #compare(executable: string, name: string, timer: SpawnTimer): void {
    const argv = this.#options.systemd ? [executable, '--systemd-cgroup'] : [executable]
    this.runtimes.push({ name, argv, root: this.#makeRoot(name), bundle: this.bundle, timer })
    this.#programs.push(executable)
  }

  #makeRoot(name: string): string {
    const root = join(this.directory, name.replaceAll(/[^a-z0-9.-]/g, '-'))
    if (!existsSync(root)) mkdirSync(root, { mode: 0o755 })
    return root
  }
}

/** The crun in PATH and the newest one, as far as they can be had and are not the same. */
function cruns(): string[] {
  const found = new Map<string, string>()
  const places = [
    ['the installed', () => 'crun'],
    ['a newer', newestCrun],
  ] as const
  for (const [which, find] of places) {
    try {
      const crun = find()
      const version = versionOf(crun)
      if (!found.has(version)) found.set(version, crun)
    } catch (error) {
      console.error(`bench: goes on without ${which} crun: ${(error as Error).message}`)
    }
  }
  return [...found.values()]
}
