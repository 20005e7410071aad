/** The process that exec's flags describe: the container's own with what they change. PURE. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { toCapabilityMask } from '@crio-lxc/core/oci/capabilities'
import type { Capabilities, Process, User } from '@crio-lxc/core/oci/spec'
import type { ExecOptions } from './exec-options.ts'

export function processOfFlags(base: Process, options: ExecOptions): Process {
  const { args, cwd, env, tty, user, additionalGids, caps, noNewPrivs } = options
  if (args.length === 0) throw new RuntimeError('usage', 'exec needs a command or --process')
  const capabilities = addCapabilities(base.capabilities, caps)
  return {
    ...base,
    args,
    terminal: tty,
    cwd: cwd ?? base.cwd,
    env: [...(base.env ?? []), ...env],
    user: { ...parseUser(user, base.user), ...(additionalGids.length > 0 && { additionalGids }) },
    ...(capabilities && { capabilities }),
    ...(noNewPrivs !== undefined && { noNewPrivileges: noNewPrivs }),
  }
}

/** `uid[:gid]` in plain decimal: anything else must not become root by accident (CVE-2026-30892). */
function parseUser(text: string | undefined, base: User): User {
  if (text === undefined) return base
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? []
  const user = { ...base, uid: Number(uid), gid: gid === undefined ? base.gid : Number(gid) }
  if (uid === undefined || user.uid > 0xfffffffe || user.gid > 0xfffffffe)
    throw new RuntimeError('exec-failed', `--user ${JSON.stringify(text)} is not UID[:GID] in decimal numbers`)
  return user
}

function addCapabilities(base: Capabilities | undefined, names: readonly string[]): Capabilities | undefined {
  if (names.length === 0) return base
  toCapabilityMask(names, '--cap')
  const add = (set: readonly string[] = []): string[] => [...new Set([...set, ...names])]
  return {
    ...base,
    bounding: add(base?.bounding),
    effective: add(base?.effective),
    permitted: add(base?.permitted),
  }
}
