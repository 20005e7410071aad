/** What one container costs while many others exist. */
import { readdirSync } from 'node:fs'
import { blocksKb, descendants, privateKb } from './measure-memory.ts'
import { forceDelete, type MeasuredRuntime, proveContainer, runCommand } from './measured-runtime.ts'
import { type Proven, proveDeleted, proveKilled, proveStarted, proveState } from './proof.ts'
import { median, sum } from './statistics.ts'

/** How many are made or removed at a time. */
export const atOnce = 50
/** How often it is measured on the way to all of them. */
export const steps = 10

/** What is there when so many containers run, and what the last of them have cost. */
export interface ScalePoint {
  readonly existing: number
  /** Milliseconds of the machine's time for each container of this step, create and start, fifty at once. */
  readonly msEach: number
  /** Median of a `state` alone. */
  readonly stateMs: number
  readonly listMs: number
  /** Processes of the runtime's, beside those in the containers. */
  readonly staying: number
  /** Their private memory and the files below --root, in kB. */
  readonly runtimeKb: number
  /** Open fds of all processes, those in the containers included. */
  readonly openFds: number
}

export interface Scale {
  readonly points: readonly ScalePoint[]
  /** Milliseconds of the machine's time for each container, from kill to the end of delete, fifty at once. */
  readonly deleteMsEach: number
}

/** The runtime with a caller of its own: one container at a time. */
type Lane = MeasuredRuntime
/** A container and the lane whose child its init is. */
type Member = { readonly lane: Lane; readonly container: Proven }

/** Makes containers step by step, fifty at once, and removes them again; `goOn` throws when it is to stop. */
export async function measureScale(lanes: readonly Lane[], containers: number, goOn: () => void): Promise<Scale> {
  const members: Member[] = []
  const made: { lane: Lane; id: string }[] = []
  const points: ScalePoint[] = []
  try {
    const step = containers / steps
    for (let from = 0; from < containers; from += step) {
      goOn()
      const ids = Array.from({ length: step }, (_, index) => `scale-${from + index}`)
      const ms = await together(lanes, ids, async (lane, id) => {
        await runCommand(lane, 'create', id)
        await runCommand(lane, 'start', id)
        made.push({ lane, id })
      })
      for (const { lane, id } of made.splice(0)) {
        const container = proveContainer(lane, id)
        await proveStarted(container)
        members.push({ lane, container })
      }
      points.push(await weighAll(lanes, members, ms / step))
    }
    return { points, deleteMsEach: await removeAll(lanes, members) }
  } catch (error) {
    const left = readdirSync(lanes[0]?.root ?? '').filter((name) => name.startsWith('scale-'))
    await together(lanes, left, forceDelete)
    throw error
  }
}

/** Runs the task for every item, one at a time in each lane; the time until all have ended. */
function together<T>(lanes: readonly Lane[], items: readonly T[], task: (lane: Lane, item: T) => Promise<void>) {
  const waiting = [...items]
  return inEachLane(lanes, async (lane) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await task(lane, item)
  })
}

/** The milliseconds until every lane is done. Throws only then: what is still being made could not be removed. */
async function inEachLane(lanes: readonly Lane[], task: (lane: Lane) => Promise<void>): Promise<number> {
  const began = performance.now()
  const ended = await Promise.allSettled(lanes.map(task))
  for (const each of ended) if (each.status === 'rejected') throw each.reason
  return performance.now() - began
}

async function weighAll(lanes: readonly Lane[], members: readonly Member[], msEach: number): Promise<ScalePoint> {
  const [lane] = lanes
  const [last] = members.slice(-1)
  if (!lane || !last) throw new Error('nothing was made')
  const states: number[] = []
  for (let i = 0; i < 11; i++) {
    const { ms, output } = await runCommand(lane, 'state', last.container.id)
    proveState(last.container, output)
    states.push(ms)
  }
  const { ms: listMs, output } = await lane.timer.run([...lane.argv, '--root', lane.root, 'list', '--quiet'])
  const listed = output.trim().split('\n').length
  if (listed !== members.length) throw new Error(`${lane.name} list names ${listed} containers of ${members.length}`)

  const inContainers = new Set(members.map(({ container }) => container.pid))
  const all = lanes.flatMap(({ timer }) => descendants(timer.pid))
  const staying = all.filter((pid) => !inContainers.has(pid))
  return {
    existing: members.length,
    msEach,
    stateMs: median(states),
    listMs,
    staying: staying.length,
    runtimeKb: sum(staying.map(privateKb)) + blocksKb(lane.root),
    openFds: sum(all.map((pid) => readdirSync(`/proc/${pid}/fd`).length)),
  }
}

/** Each container by the lane whose child its init is; milliseconds each. */
async function removeAll(lanes: readonly Lane[], members: readonly Member[]): Promise<number> {
  const ms = await inEachLane(lanes, async (lane) => {
    for (const { container } of members.filter((member) => member.lane === lane)) {
      await runCommand(lane, 'kill', container.id)
      proveKilled(container, (await lane.timer.reap(container.pid)).status)
      await runCommand(lane, 'delete', container.id)
    }
  })
  for (const { container } of members) proveDeleted(container)
  return ms / members.length
}
