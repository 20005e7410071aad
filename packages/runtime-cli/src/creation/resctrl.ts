/** linux.intelRdt; loaded only for a container that has it. */

import { checkGroup, makeGroup, removeGroups, resctrlRoot } from '@crio-lxc/core/host/resctrl/group'
import { factsOf, type GroupPlan, planGroup, type ResctrlFacts } from '@crio-lxc/core/host/resctrl/plan/group-plan'
import type { IntelRdt } from '@crio-lxc/core/oci/linux'
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
