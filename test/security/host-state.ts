/** What of the host an attack could change, as text: two equal texts are an unchanged host. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hostMounts } from '../support/proc.ts'
import { runtimePath } from '../support/runtime.ts'

/** Kernel parameters that give the host away, and some that containers often set. */
const parameters = [
  'kernel/core_pattern',
  'kernel/hostname',
  'kernel/domainname',
  'kernel/modprobe',
  'kernel/panic',
  'kernel/randomize_va_space',
  'kernel/shmmni',
  'kernel/sysrq',
  'net/ipv4/ip_forward',
  'net/ipv4/ip_unprivileged_port_start',
  'vm/overcommit_memory',
]

/** Everything below these directories, and in general: mounts, devices, kernel parameters and the runtime's own files. */
export function hostState(directories: readonly string[]): string[] {
  return [
    ...hostMounts(directories.map((path) => dirname(path))),
    ...parameters.map((name) => `${name} = ${readOrNone(`/proc/sys/${name}`)}`),
    ...readdirSync('/dev').map((name) => describe(join('/dev', name), false)),
    ...[runtimePath, join(runtimePath, '../../libexec/crio-lxc')].flatMap((path) => tree(path)),
    ...directories.flatMap((path) => tree(path)),
  ]
}

/** Type, mode, owner, and content or target of everything below a path. */
function tree(path: string): string[] {
  const entries = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path).sort() : []
  return [describe(path, true), ...entries.flatMap((name) => tree(join(path, name)))]
}

function describe(path: string, content: boolean): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return `${path} is not there`
  const { mode, uid, gid, rdev } = stat
  const line = `${path} ${mode.toString(8)} ${uid}:${gid} ${rdev}`
  if (stat.isSymbolicLink()) return `${line} -> ${readlinkSync(path)}`
  if (!content || !stat.isFile()) return line
  return `${line} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}

function readOrNone(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return 'none'
  }
}
