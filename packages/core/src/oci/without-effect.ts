/**
 * What a document asks for and nobody does, because the kernel or the other runtimes have nothing for it. It is accepted, as
 * they accept it, and never without a word. PURE.
 */
import { itemOf } from './field-path.ts'
import { hasNice } from './process-rules.ts'
import type { Resources } from './resources.ts'
import type { Process, Rlimit } from './spec.ts'

/** A sentence for each kind, in the name of the first field that has it. */
export function describeWithoutEffect(process: Process | undefined, resources: Resources | undefined): string[] {
  const { rlimits = [], scheduler } = process ?? {}
  const { devices = [], memory } = resources ?? {}
  const found: string[] = []
  const again = repeated(rlimits)
  if (again) found.push(`process.rlimits: ${again.type} is listed again: the last one counts`)
  if (scheduler?.nice && !hasNice(scheduler.policy))
    found.push(`process.scheduler.nice: has no effect with ${scheduler.policy}`)
  const index = devices.findIndex(({ access }) => access && /[^rwm]/.test(access))
  if (index >= 0) {
    const field = `${itemOf('linux.resources.devices', index)}.access`
    found.push(`${field}: only "r", "w" and "m" have an effect, got ${JSON.stringify(devices[index]?.access)}`)
  }
  if (memory?.kernel) found.push('linux.resources.memory.kernel: ignored: Linux has no such limit any more')
  return found
}

function repeated(rlimits: readonly Rlimit[]): Rlimit | undefined {
  const seen = new Set<string>()
  return rlimits.find(({ type }) => seen.size === seen.add(type).size)
}
