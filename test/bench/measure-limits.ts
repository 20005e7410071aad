import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyBundle } from './bench-bundle.ts'
import { createProven, forceDelete, type MeasuredRuntime } from './measured-runtime.ts'

/** What linux.resources costs. Milliseconds of whole processes, as everything here. */
export const limitSteps = [
  'create without limits',
  'create with limits',
  'update of one limit',
  'update of all of them',
] as const
export type LimitTimes = Readonly<Record<(typeof limitSteps)[number], number>>

const MiB = 1 << 20

/** Limits that every host and each of the runtimes has. */
const resources = (megabytes: number) => ({
  memory: { limit: megabytes * MiB, reservation: (megabytes * MiB) / 2, swap: megabytes * MiB },
  cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0', mems: '0' },
  pids: { limit: megabytes },
})

/** Copies the bundle to one with limits, and writes the limits of the update beside it. */
export function makeLimitedBundle(bundle: string): string {
  const limited = copyBundle(bundle, 'limited', (spec) => Object.assign(spec.linux.resources, resources(64)))
  writeFileSync(updateFile(limited), JSON.stringify(resources(96)))
  return limited
}

/** Two containers: one without limits, one that is created with them and updated twice. */
export async function measureLimits(runtime: MeasuredRuntime, limited: string, id: string): Promise<LimitTimes> {
  const withLimits = { ...runtime, bundle: limited }
  const update = async (...args: string[]): Promise<number> =>
    (await runtime.timer.run([...runtime.argv, '--root', runtime.root, 'update', ...args, id])).ms
  const plain = await during(runtime, id, async () => ({}))
  const other = await during(withLimits, id, async () => ({
    one: await update('--pids-limit', '99'),
    all: await update('--resources', updateFile(limited)),
  }))
  return {
    'create without limits': plain.create,
    'create with limits': other.create,
    'update of one limit': other.one,
    'update of all of them': other.all,
  }
}

/** The time of create, and what `measure` says about the container, which is gone afterwards. */
async function during<T>(
  runtime: MeasuredRuntime,
  id: string,
  measure: () => Promise<T>,
): Promise<T & { create: number }> {
  const { timing, container } = await createProven(runtime, id)
  try {
    return { ...(await measure()), create: timing.ms }
  } finally {
    await forceDelete(runtime, id)
    await runtime.timer.reap(container.pid)
  }
}

function updateFile(bundle: string): string {
  return join(bundle, 'update.json')
}
