/**
 * npm run bench -- [--limits [--systemd]] [--rounds N] [--write]
 *
 * Times crio-lxc against runc and crun, whole processes in alternation, and weighs what stays in memory. With --limits it
 * times create and update with and without limits instead, with --systemd in scopes that systemd makes.
 * --write puts the tables into docs/performance.md. RUNTIME names another crio-lxc than dist/bin/crio-lxc.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeBenchBundle } from './bench-bundle.ts'
import { makeLimitedBundle, measureLimits } from './measure-limits.ts'
import { type Memory, measureMemory } from './measure-memory.ts'
import { forceDelete, type MeasuredRuntime, measureCycle } from './measured-runtime.ts'
import { formatLimits, formatReport, median, replaceBetweenMarkers } from './report.ts'
import { compileSpawnTimer, type SpawnTimer, startSpawnTimer } from './spawn-timer.ts'

const repository = join(import.meta.dirname, '../..')
const performancePage = join(repository, 'docs/performance.md')
const warmUpRounds = 3
const memoryRounds = 3
const id = 'bench'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    limits: { type: 'boolean', default: false },
    systemd: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
let interrupted = false
process.on('SIGINT', () => {
  interrupted = true
})
process.on('SIGTERM', () => {
  interrupted = true
})

const rounds = Number(options.rounds)
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds ${options.rounds}: not a positive whole number`)
if (options.systemd && !options.limits) fail('--systemd: give --limits as well')
if (process.getuid?.() !== 0) fail('the benchmark makes containers: run it as root')
const subject = process.env['RUNTIME'] ?? join(repository, 'dist/bin/crio-lxc')
const version = spawnSync(subject, ['--version'], { encoding: 'utf8' })
if (version.status !== 0) fail(`${subject} does not run: run npm run build first`)

const report = await bench().catch((error: Error) => fail(error.message))
console.log(report)
if (options.write) {
  writeFileSync(performancePage, replaceBetweenMarkers(readFileSync(performancePage, 'utf8'), section(), report))
  console.error(`written to ${performancePage}`)
}

/** The part of the page that this run measures. */
function section(): string {
  if (!options.limits) return 'bench'
  return options.systemd ? 'bench-limits-systemd' : 'bench-limits'
}

async function bench(): Promise<string> {
  // On a tmpfs, as /run is on a real host: otherwise the disk is measured too.
  const directory = mkdtempSync('/dev/shm/crio-lxc-bench-')
  const timers: SpawnTimer[] = []
  const runtimes: MeasuredRuntime[] = []
  try {
    const executable = compileSpawnTimer(directory)
    const bundle = makeBenchBundle(directory)
    const addTimer = (prefix: readonly string[] = []) => {
      const timer = startSpawnTimer(executable, join(directory, `timer-${timers.length}.log`), prefix)
      timers.push(timer)
      return timer
    }
    const addRuntime = (name: string, timer: SpawnTimer, ...argv: string[]) => {
      const root = join(directory, name.replaceAll(/[^a-z-]/g, ''))
      mkdirSync(root, { mode: 0o755 })
      const runtime = { name, argv: options.systemd ? [...argv, '--systemd-cgroup'] : argv, root, bundle, timer }
      runtimes.push(runtime)
      return runtime
    }
    const here = addTimer()
    const timed = [
      addRuntime('runc', here, 'runc'),
      addRuntime('crun', addTimer(withoutHybridUnified()), 'crun'),
      addRuntime('crio-lxc', here, subject),
    ]
    const weighed = [...timed]
    if (version.stdout.startsWith('crio-lxc')) {
      weighed.push(addRuntime('crio-lxc --monitor=resident', here, subject, '--monitor=resident'))
    }

    const where = async () => ({
      rounds,
      date: new Date().toISOString().slice(0, 10),
      machine: describeMachine(),
      timerOverheadMs: await measureOverhead(here),
    })
    if (options.limits) {
      const limited = makeLimitedBundle(bundle)
      const times = await inRounds(timed, (runtime) => measureLimits(runtime, limited, id))
      return formatLimits(await where(), times)
    }
    const times = await inRounds(timed, (runtime) => measureCycle(runtime, id))
    return formatReport({ ...(await where()), times, memory: await weigh(weighed) })
  } finally {
    for (const runtime of runtimes) await forceDelete(runtime, id)
    for (const timer of timers) await timer.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Rounds in which every runtime has its turn; who is first rotates, so that no one always follows the same neighbour. */
async function inRounds<T>(
  runtimes: readonly MeasuredRuntime[],
  turn: (runtime: MeasuredRuntime) => Promise<T>,
): Promise<Map<string, T[]>> {
  const times = new Map<string, T[]>(runtimes.map(({ name }) => [name, []]))
  for (let round = -warmUpRounds; round < rounds; round++) {
    const first = (round + warmUpRounds) % runtimes.length
    for (const runtime of [...runtimes.slice(first), ...runtimes.slice(0, first)]) {
      if (interrupted) throw new Error('interrupted')
      const sample = await turn(runtime)
      if (round >= 0) times.get(runtime.name)?.push(sample)
    }
  }
  return times
}

async function weigh(runtimes: readonly MeasuredRuntime[]): Promise<Map<string, Memory>> {
  const memory = new Map<string, Memory>()
  for (const runtime of runtimes) {
    const samples: Memory[] = []
    for (let round = 0; round < memoryRounds; round++) {
      if (interrupted) throw new Error('interrupted')
      samples.push(await measureMemory(runtime, id))
    }
    const [sample] = samples.toSorted((a, b) => a.stayingKb - b.stayingKb).slice(Math.floor(memoryRounds / 2))
    if (sample) memory.set(runtime.name, sample)
  }
  return memory
}

async function measureOverhead(timer: SpawnTimer): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < rounds; round++) samples.push((await timer.run(['/bin/busybox', 'true'])).ms)
  return median(samples)
}

/** crun refuses a hybrid cgroup layout, so there its timer has a mount namespace without the v2 part of it. */
function withoutHybridUnified(): string[] {
  const unified = '/sys/fs/cgroup/unified'
  return existsSync(unified) ? ['unshare', '-m', 'sh', '-c', `umount ${unified} && exec "$@"`, 'sh'] : []
}

function describeMachine(): string[] {
  const version = (name: string) => spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? name
  const layout = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? 'cgroup v2'
    : existsSync('/sys/fs/cgroup/unified')
      ? 'hybrid cgroups'
      : 'cgroup v1'
  return [
    `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    `Linux ${release()}`,
    layout,
    ...['runc', 'crun', subject].map(version),
  ]
}

function fail(message: string): never {
  console.error(`bench: ${message}`)
  process.exit(1)
}
