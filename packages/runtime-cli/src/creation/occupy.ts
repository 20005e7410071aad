/** The first traces on the host: the id, the cgroup, and what in the container leads to either. */
import { cgroupOwner, delegateCgroup, takeCgroupBack } from '@crio-lxc/core/host/cgroup/delegate'
import { cgroupOf } from '@crio-lxc/core/host/cgroup/exec-cgroup'
import { markCgroup } from '@crio-lxc/core/host/cgroup/mark-cgroup'
import type { Hierarchy } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { type ContainerFacts, ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { ownerOf } from '@crio-lxc/core/host/container/own-cgroup'
import type { PhaseLog } from '@crio-lxc/core/host/log/phase-log'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import { ownPid } from '@crio-lxc/core/sys/program'
import { killContainer } from '../removal/kill-container.ts'
import { cgroupMounts } from '../sources/cgroup-mounts.ts'
import type { Undo } from '../undo.ts'
import { factsOf } from './facts.ts'
import type { Opened } from './open-inputs.ts'
import type { OccupiedInputs } from './plan/inputs.ts'

/** What create has while it makes a container. */
export interface Creation {
  readonly undo: Undo
  readonly fds: FdScope
  /** Of what is nobody else's until create has ended, its undoing included. */
  readonly claims: FdScope
  /** Logs a phase that is over. */
  readonly done: PhaseLog
}

export interface Occupied extends Opened {
  readonly info: ContainerInfo
  readonly facts: ContainerFacts
  readonly inputs: OccupiedInputs
  /** What the cgroup says of whose it is; undefined where it cannot. */
  readonly cgroupMark: string | undefined
  /** Where a container without a cgroup of its own is. */
  readonly callersCgroup: ((hierarchy: Hierarchy) => string) | undefined
}

export function occupy(opened: Opened, creation: Creation): Occupied {
  const { undo, fds, done } = creation
  const { request, inputs, cgroup, resctrl } = opened
  const { settings, spec, options } = request
  const { layout, placement } = cgroup
  const info = new ContainerInfo(settings.root, options.id)
  const facts = factsOf(opened)
  info.create(facts, { 'config.json': request.text })
  undo.push(() => info.remove())
  const cgroupMark = occupyCgroup(opened, facts, creation)
  const sources = request.notifier?.addNotifySocket(inputs, info, fds) ?? inputs.sources
  const { path } = placement
  const { madeCgroups } = facts
  done('cgroups', `made ${info.runtimePath()} and the cgroup ${path}`, { cgroup: path, madeCgroups })
  const callersCgroup = request.withoutCgroup && cgroupOf(ownPid())
  const { created } = inputs.namespaces
  const shows = { layout, pathOf: callersCgroup ?? (() => path), created, detached: inputs.sources.mounts }
  const mounts = cgroupMounts(spec, shows, fds)
  if (resctrl) {
    resctrl.make(undo)
    done('resctrl', `made the resctrl group ${resctrl.facts.group}`)
  }
  undo.push(() => killContainer(layout, path, settings.timeouts.killMs))
  const complete = { ...inputs, sources, cgroupMounts: mounts }
  return { ...opened, info, facts, inputs: complete, cgroupMark, callersCgroup }
}

function occupyCgroup(
  { request, inputs, cgroup }: Opened,
  facts: ContainerFacts,
  { undo, claims }: Creation,
): string | undefined {
  const { layout, placement, manager } = cgroup
  undo.push(() => manager.undo(facts.madeCgroups))
  // The one check that is left: with an id that is taken the cgroup is in use as well, and says less.
  manager.make(claims)
  const { namespaces, userNamespace } = inputs
  if (!facts.withoutCgroup) takeCgroupBack(layout, placement.path)
  const mark = ownerOf(facts)
  const isMarked = !facts.withoutCgroup && markCgroup(layout, placement.path, mark)
  const owner = cgroupOwner(request.spec, { layout, created: namespaces.created, ids: userNamespace })
  if (owner !== undefined) delegateCgroup(layout, placement.path, owner)
  return isMarked ? mark : undefined
}
