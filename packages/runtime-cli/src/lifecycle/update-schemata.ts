/** update of linux.intelRdt; loaded only when it is asked for. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { resctrlRoot, writeSchemata } from '@crio-lxc/core/host/resctrl/group'
import { type ResctrlFacts, schemataLines } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import { readText } from '@crio-lxc/core/sys/files'

/** The schemata that `update` gives, of a container with a group; returns what gives it back those that it had. */
export function updateSchemata(facts: ResctrlFacts | undefined, change: IntelRdt): () => void {
  const lines = schemataLines(change)
  if (facts === undefined)
    throw new RuntimeError(
      'usage',
      'update --l3-cache-schema and --mem-bw-schema: the container has no resctrl group: create it with linux.intelRdt',
    )
  const root = resctrlRoot()
  const before = readText(`${facts.group}/schemata`)
  writeSchemata(root, facts.group, lines)
  return () => writeSchemata(root, facts.group, schemataLines({ schemata: before.split('\n') }))
}
