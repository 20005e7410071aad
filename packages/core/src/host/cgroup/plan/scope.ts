/** The systemd unit that linux.cgroupsPath `slice:prefix:name` names; systemd.scope(5), systemd.slice(5). PURE. */
import { SpecError } from '../../../errors/runtime-error.ts'

export interface Scope {
  /** `crio-abc.scope` */
  readonly unit: string
  /** `user-1.slice` */
  readonly slice: string
  /** Below every hierarchy's mount point: `/user.slice/user-1.slice/crio-abc.scope`. */
  readonly path: string
}

/** Throws SpecError in the name of `field`. */
export function parseScope(text: string, field = 'linux.cgroupsPath'): Scope {
  const [slice, prefix, name, ...rest] = text.split(':')
  if (slice === undefined || prefix === undefined || !name || rest.length > 0 || text.includes('/'))
    throw new SpecError(field, `${JSON.stringify(text)} is not slice:prefix:name, which --systemd-cgroup asks for`)
  if (name.endsWith('.slice'))
    throw new SpecError(field, `${JSON.stringify(name)} is the name of a slice: a container is a scope, name one`)
  const unit = `${prefix ? `${prefix}-` : ''}${name}.scope`
  if (!/^[\w:.\\@-]{1,255}$/.test(unit))
    throw new SpecError(
      field,
      `${JSON.stringify(unit)} cannot be the name of a unit: use at most 255 of A-Z a-z 0-9 : - _ . \\ @`,
    )
  const inSlice = slice || 'system.slice'
  return { unit, slice: inSlice, path: `${expandSlice(inSlice, field)}/${escaped(unit)}` }
}

/** The scope of a container without cgroupsPath. */
export function defaultScope(id: string): Scope {
  // The one character of ids that unit names lack, as systemd-escape(1) writes it.
  return parseScope(`system.slice:crio-lxc:${id.replaceAll('+', '\\x2b')}`)
}

/** `a-b.slice` lies in `a.slice`. */
export function expandSlice(slice: string, field: string): string {
  if (slice === '-.slice') return ''
  const stem = slice.replace(/\.slice$/, '')
  if (stem === slice || stem === '' || /^-|-$|--|[^\w:.\\@-]/.test(stem))
    throw new SpecError(field, `${JSON.stringify(slice)} is not the name of a slice`)
  const parts = stem.split('-')
  return parts.map((_, index) => `/${escaped(`${parts.slice(0, index + 1).join('-')}.slice`)}`).join('')
}

/** Names before a dot that the kernel's own files in a cgroup begin with (cg_needs_escape of systemd). */
const reserved = new Set([
  'cgroup',
  ...['cpu', 'cpuacct', 'cpuset', 'io', 'blkio', 'memory', 'devices', 'pids'],
  // Controllers of systemd's own, of which the kernel knows nothing.
  ...['bpf-firewall', 'bpf-devices', 'bpf-foreign', 'bpf-socket-bind', 'bpf-restrict-network-interfaces'],
])

/** systemd puts `_` before the name of a directory that could be taken for one of the kernel's files. */
function escaped(unit: string): string {
  const stem = unit.slice(0, unit.lastIndexOf('.'))
  return /^[_.]|^cgroup\./.test(unit) || reserved.has(stem) ? `_${unit}` : unit
}
