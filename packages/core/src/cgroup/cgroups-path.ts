/** Where linux.cgroupsPath puts a container (config-linux.md, "Cgroups Path"). PURE. */
import { SpecError } from '../errors/runtime-error.ts'

const POINTER = 'linux.cgroupsPath'

export interface CgroupsPathOptions {
  readonly id: string
  /** cgroupsPath has the form slice:prefix:name. */
  readonly systemd: boolean
}

/**
 * The path below every hierarchy's mount point, with a leading slash and without dots. A relative path begins at the
 * mount point too: the same place for every caller, whatever cgroup it runs in.
 */
export function resolveCgroupsPath(cgroupsPath: string | undefined, { id, systemd }: CgroupsPathOptions): string {
  const path = cgroupsPath || (systemd ? `system.slice:crio-lxc:${id}` : `/crio-lxc/${id}`)
  if (systemd) return expandScope(path)
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') throw new SpecError(POINTER, `${JSON.stringify(path)} must not contain ".."`)
    if (part !== '' && part !== '.') parts.push(part)
  }
  if (parts.length === 0) throw new SpecError(POINTER, 'must not be the root of the hierarchy')
  return `/${parts.join('/')}`
}

/** `user-1.slice:crio:abc` is /user.slice/user-1.slice/crio-abc.scope (systemd.slice(5)). */
function expandScope(path: string): string {
  const [slice, prefix, name, ...rest] = path.split(':')
  if (slice === undefined || prefix === undefined || !name || rest.length > 0 || path.includes('/'))
    throw new SpecError(POINTER, `${JSON.stringify(path)} is not slice:prefix:name, which --systemd-cgroup asks for`)
  const unit = name.endsWith('.slice') ? name : `${prefix ? `${prefix}-` : ''}${name}.scope`
  return `${expandSlice(slice || 'system.slice')}/${unit}`
}

function expandSlice(slice: string): string {
  if (slice === '-.slice') return ''
  const stem = slice.replace(/\.slice$/, '')
  if (stem === slice || stem === '' || /^-|-$|--/.test(stem))
    throw new SpecError(POINTER, `${JSON.stringify(slice)} is not the name of a slice`)
  const parts = stem.split('-')
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('')
}
