/** Plans as they can be compared: without what differs from call to call, or only follows from something else. PURE. */
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { Operation, Spelling } from '@crio-lxc/core/plan/plan'
import { type Section, Table } from './sections.ts'

/** Arguments that are descriptors; of every other call in `first`, the first. */
const descriptors: { readonly [Name in Operation]?: readonly number[] } = {
  move_mount: [0, 2],
  dup3: [0, 1],
  symlinkat: [1],
}
const first: ReadonlySet<Operation> = new Set([
  ...(['close', 'read', 'write', 'openat', 'openat2', 'mkdirat', 'mknodat', 'statx', 'fstatfs', 'fchdir'] as const),
  ...(['ioctl', 'fcntl', 'setns', 'open_tree', 'mount_setattr', 'fsconfig', 'fsmount', 'unlinkat'] as const),
  ...(['fchownat', 'fchmodat', 'fchown', 'fchmod', 'sendto', 'recvfrom', 'getdents64', 'faccessat'] as const),
])
const isStandard = (fd: number): boolean => fd <= 2

/** The numbers of descriptors are those that were free: one source more shifts them all. */
export function withoutDescriptors(spelling: Spelling): Spelling {
  return {
    ...spelling,
    argument(call, index, args) {
      const value = args[index]
      const isDescriptor = first.has(call) ? index === 0 : descriptors[call]?.includes(index)
      return isDescriptor && typeof value === 'number' && !isStandard(value)
        ? 'FD'
        : spelling.argument(call, index, args)
    },
  }
}

/** A bundle's own files are the same files of the other; so are descriptors that words or liblxc's config name. */
export function comparable(sections: readonly Section[], bundle: string): Section[] {
  const neutral = (text: string): string =>
    withoutBundle(text, bundle)
      .replace(/\/fd\/\d+/g, '/fd/N')
      // Which are closed follows from which are kept.
      .replace(/^close fds .*?: close_range\(\d+, \w+/, 'close fds: close_range(FD, FD')
  return sections.map(({ title, lines }) => ({
    title,
    lines: lines instanceof Table ? new Table(lines.rows.map((row) => row.map(neutral))) : lines.map(neutral),
  }))
}

/** Not by an expression, which would be made of the caller's text (docs/security.md, "The engine"). */
function withoutBundle(text: string, bundle: string): string {
  const [first = '', ...others] = text.split(bundle)
  let before = first
  for (const after of others) {
    const isPath = (before === '' || /[\s"=,:(]$/.test(before)) && (after === '' || /^[/"\s,)]/.test(after))
    before += (isPath ? 'BUNDLE' : bundle) + after
  }
  return before
}

/** What the program of a filter comes from: a rule more changes a line here, and the jumps of half a program. */
export function ruleSections({ linux }: Spec): Section[] {
  const { syscalls = [], ...others } = linux?.seccomp ?? {}
  const rules = syscalls.flatMap(({ names, ...rule }) => names.map((name) => `${name} ${JSON.stringify(rule)}`))
  return [
    { title: 'seccomp settings', lines: linux?.seccomp ? [JSON.stringify(others)] : [] },
    { title: 'seccomp rules', lines: rules.sort() },
  ]
}
