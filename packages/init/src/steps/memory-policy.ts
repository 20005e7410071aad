import { MPOL, MPOL_F } from '@crio-lxc/core/abi/constants'
import type { MemoryPolicy } from '@crio-lxc/core/oci/linux'
import { parseNumberList } from '@crio-lxc/core/oci/number-list'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { bitmask } from '@crio-lxc/core/plan/structs'

/** linux.memoryPolicy: set_mempolicy(2), which execve keeps and children inherit. */
export function planMemoryPolicy(plan: Plan, { mode: given, nodes, flags = [] }: MemoryPolicy): void {
  const mode = given || 'MPOL_DEFAULT'
  const bits = flags.reduce<number>((all, flag) => all | MPOL_F[flag], MPOL[mode])
  const what = `set linux.memoryPolicy to ${[mode, ...flags].join('|')}${nodes ? ` on ${nodes}` : ''}`
  if (!nodes) {
    plan.step(what, 'set_mempolicy', [bits, 0, 0])
    return
  }
  const mask = bitmask(plan, parseNumberList(nodes, 'linux.memoryPolicy.nodes'), nodes)
  // The kernel takes one bit less than it is told (get_mempolicy(2), "maxnode").
  plan.step(what, 'set_mempolicy', [bits, mask, 8 * mask.length + 1])
}
