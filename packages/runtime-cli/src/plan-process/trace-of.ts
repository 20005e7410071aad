import { takesSpans } from '@crio-lxc/core/host/log/logger'
import type { ProcessTrace } from './process-trace.ts'

/** What takes the times of a process that this verb makes; undefined, and nothing is loaded, without --trace. */
export async function traceOf(component: string): Promise<ProcessTrace | undefined> {
  if (!takesSpans()) return undefined
  const { ProcessTrace } = await import('./process-trace.ts')
  return new ProcessTrace(component)
}
