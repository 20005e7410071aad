/**
 * Memory devices of the caller's among stdin, stdout and stderr. Who holds the node may change its mode and owner, so the
 * container gets one of its own: made here, in a tmpfs that init has anyway, and not by create, which would have to make a
 * mount for it and give it up, before liblxc can begin.
 */
import { makedev, O_CLOEXEC, O_NOCTTY, O_PATH, S_IFCHR } from '@crio-lxc/core/abi/constants'
import type { Plan, Slot } from '@crio-lxc/core/plan/plan'

export interface StdioDevice {
  readonly fd: number
  /** Its node's, in /dev. */
  readonly name: string
  readonly major: number
  readonly minor: number
  /** O_RDONLY and its kin. */
  readonly access: number
}

/** How many files and directories `planStdio` makes. */
export function countStdioNodes(devices: readonly StdioDevice[]): number {
  return devices.length === 0 ? 0 : 1 + new Set(devices.map(({ name }) => name)).size
}

/** `ownNodes` is the tmpfs of own-nodes.ts. In a directory dev, as programs look at the paths of their descriptors. */
export function planStdio(plan: Plan, ownNodes: Slot, devices: readonly StdioDevice[]): void {
  if (devices.length === 0) return
  const dev = plan.string('dev')
  const directory = plan.slot('directory of the nodes for stdio')
  plan.step('make the directory of the nodes for stdio', 'mkdirat', [ownNodes, dev, 0o755])
  const opened = [ownNodes, dev, O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY | plan.arch.O_NOFOLLOW]
  plan.step('open the directory of the nodes for stdio', 'openat', opened, { result: directory })
  for (const { fd, name, major, minor, access } of devices) {
    const text = plan.string(name)
    const node = plan.slot(`/dev/${name} for fd ${fd}`)
    // Two of them may be the same device.
    const made = [directory, text, S_IFCHR | 0o666, makedev(major, minor)]
    plan.step(`make the node of /dev/${name} for fd ${fd}`, 'mknodat', made, { ignore: ['EEXIST'] })
    const flags = access | O_NOCTTY | O_CLOEXEC | plan.arch.O_NOFOLLOW
    plan.step(`open /dev/${name} for fd ${fd}`, 'openat', [directory, text, flags], { result: node })
    plan.step(`make it fd ${fd}`, 'dup3', [node, fd, 0])
    plan.step(`close /dev/${name}`, 'close', [node])
  }
  plan.step('close the directory of the nodes for stdio', 'close', [directory])
}
