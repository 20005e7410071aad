/** The mounts that state and programs lie on. */
import { fileExists, stat } from '@crio-lxc/core/sys/files'
import { type Mount, mountOf } from '../installation/mount-of.ts'
import { programsOf } from '../installation/programs.ts'
import type { Settings } from '../settings.ts'
import { type Finding, ok, orOk, problem, warning } from './finding.ts'

export function mountFindings(settings: Settings): readonly Finding[] {
  const { libexec } = programsOf(settings)
  const root = mountOf('/')
  if (root === undefined) return [rootDirectory]
  return [
    ...judgeState(settings.root, mountOf(nearest(settings.root))),
    ...(fileExists(settings.root) ? rootFindings(settings.root) : []),
    ...(fileExists(libexec) ? judgeLibexec(libexec, mountOf(libexec)) : []),
  ]
}

/** mount(2) and pivot_root(2) take it for none: the mount that it lies on is out of this program's reach. */
const rootDirectory = problem(
  'root directory',
  'no mount point, as in a chroot',
  'bind the directory on itself before chroot, or pivot_root into it',
)

/** The directory, or the nearest one above it that exists. */
function nearest(path: string): string {
  if (fileExists(path)) return path
  return nearest(path.replace(/\/[^/]*$/, '') || '/')
}

/** PURE. */
export function judgeState(root: string, mount: Mount | undefined): readonly Finding[] {
  if (mount === undefined) return [warning('state', `the mount of ${root} is unknown`, 'mount /proc')]
  const { point, type, options } = mount
  const found = `${root} on ${point} (${type})`
  if (options.includes('ro'))
    return [problem('state', `${found}, read-only`, 'name a directory that is writable: --root')]
  if (type === 'tmpfs') return [ok('state', found)]
  return [warning('state', found, 'use a tmpfs: after a reboot containers would be listed that are gone')]
}

function rootFindings(root: string): Finding[] {
  const { uid, mode } = stat(root)
  if (uid !== 0) return [problem('state', `${root} belongs to user ${uid}`, `chown root ${root}`)]
  return mode & 0o022 ? [problem('state', `others than root may write to ${root}`, `chmod go-w ${root}`)] : []
}

/** PURE. */
export function judgeLibexec(libexec: string, mount: Mount | undefined): readonly Finding[] {
  const { point = '?', options = [] } = mount ?? {}
  const advice = `mount it without, or install to another place`
  const findings = [
    ...(options.includes('noexec') ? [problem('libexec', `${libexec} lies on ${point}, mounted noexec`, advice)] : []),
    // The kernel changes neither AppArmor's profile nor SELinux' domain where it would ignore a set-user-ID bit.
    ...(options.includes('nosuid')
      ? [warning('libexec', `${libexec} lies on ${point}, mounted nosuid`, `${advice}: labels may not take effect`)]
      : []),
  ]
  return orOk(findings, 'libexec', `on ${point} (${options.join(',')})`)
}
