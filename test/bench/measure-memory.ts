import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { forceDelete, type MeasuredRuntime, readPidFile, runCommand } from './measured-runtime.ts'
import { sum } from './statistics.ts'

/** What one container costs while it exists, in kB of 1024 bytes. */
export interface Memory {
  /** Private memory of init between create and start: whatever the runtime parks there. */
  readonly parkedKb: number
  /** Private memory of the container's process after start; the image's, the same for every runtime. */
  readonly payloadKb: number
  /** Processes beside the container's own that stay while it runs. */
  readonly staying: readonly string[]
  /** Their private memory together. */
  readonly stayingKb: number
  /** Blocks of the runtime's files, which lie on a tmpfs and so are memory. */
  readonly filesKb: number
}

const memoryRounds = 3

/** Of a few containers of each runtime, the one with the middle weight of what stays. */
export async function weigh(runtimes: readonly MeasuredRuntime[], id: string): Promise<Map<string, Memory>> {
  const memory = new Map<string, Memory>()
  for (const runtime of runtimes) {
    const samples: Memory[] = []
    for (let round = 0; round < memoryRounds; round++) samples.push(await measureMemory(runtime, id))
    const [sample] = samples.toSorted((a, b) => a.stayingKb - b.stayingKb).slice(Math.floor(memoryRounds / 2))
    if (sample) memory.set(runtime.name, sample)
  }
  return memory
}

/** Creates and starts one container, and adds up what is there. */
async function measureMemory(runtime: MeasuredRuntime, id: string): Promise<Memory> {
  await runCommand(runtime, 'create', id)
  const caretaker = readPidFile(runtime, id)
  try {
    const created = splitProcesses(runtime, id)
    const parkedKb = sum(created.own.map(privateKb))
    await runCommand(runtime, 'start', id)
    await untilPayloadRuns(runtime, id)
    const { own, staying } = splitProcesses(runtime, id)
    return {
      parkedKb,
      payloadKb: sum(own.map(privateKb)),
      staying: staying.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()),
      stayingKb: sum(staying.map(privateKb)),
      filesKb: blocksKb(runtime.root),
    }
  } finally {
    await forceDelete(runtime, id)
    await runtime.timer.reap(caretaker)
  }
}

/** start may return before init has become the payload. */
async function untilPayloadRuns(runtime: MeasuredRuntime, id: string): Promise<void> {
  const deadline = Date.now() + 10_000
  const isPayload = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n'
  while (!splitProcesses(runtime, id).own.every(isPayload)) {
    if (Date.now() > deadline) throw new Error(`container ${id} does not run its process ten seconds after start`)
    await sleep(10)
  }
}

/** The timer's descendants: those inside the container's PID namespace, and those that merely serve it. */
function splitProcesses({ timer }: MeasuredRuntime, id: string): { own: number[]; staying: number[] } {
  const pids = descendants(timer.pid)
  const inContainer = (pid: number) => /^NSpid:(\s+\d+){2,}$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  const own = pids.filter(inContainer)
  if (own.length === 0) throw new Error(`no process of container ${id} is below its caller`)
  return { own, staying: pids.filter((pid) => !own.includes(pid)) }
}

/** All processes below one. */
export function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

export function privateKb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return sum([...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map((match) => Number(match[1])))
}

/** The blocks of a file, or of a directory and everything below it, in kB. */
export function blocksKb(path: string): number {
  const entry = lstatSync(path)
  const below = entry.isDirectory() ? readdirSync(path).map((name) => blocksKb(join(path, name))) : []
  return entry.blocks / 2 + sum(below)
}
