/** What the verbs do with linux.intelRdt; loaded only for specs and containers that have it. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { checkGroup, makeGroup, removeGroups, resctrlRoot, writeSchemata } from '@crio-lxc/core/host/resctrl/group'
import { type ResctrlStats, readResctrlStats } from '@crio-lxc/core/host/resctrl/group-stats'
import {
  factsOf,
  type GroupPlan,
  planGroup,
  type ResctrlFacts,
  schemataLines,
} from '@crio-lxc/core/host/resctrl/plan/group-plan'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
import { readText } from '@crio-lxc/core/sys/files'
import type { Undo } from '../undo.ts'

/** The group of a container that is being created. */
export class ResctrlGroup {
  private constructor(
    readonly root: string,
    readonly plan: GroupPlan,
  ) {}

  /** Throws SpecError for what the host or the group cannot give; nothing is changed. */
  static of(intelRdt: IntelRdt, id: string): ResctrlGroup {
    const root = resctrlRoot()
    const plan = planGroup(intelRdt, { root, id })
    checkGroup(root, plan)
    return new ResctrlGroup(root, plan)
  }

  get facts(): ResctrlFacts {
    return factsOf(this.plan)
  }

  /** Makes the directories; a create that fails removes them, a class of closID too. */
  make(undo: Undo): void {
    makeGroup(this.root, this.plan, (directory) => undo.push(() => removeGroups([directory])))
  }
}

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

/** For `events`. */
export function resctrlStats(facts: ResctrlFacts): ResctrlStats {
  return readResctrlStats(resctrlRoot(), facts)
}
