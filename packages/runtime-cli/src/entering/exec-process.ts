/** The process that exec runs: its flags on top of the container's own process, or process.json. PURE. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Capabilities, Process, User } from '@crio-lxc/core/oci/spec'
import type { ExecOptions } from './exec-options.ts'

/** `base` is the container's process. */
export function execProcess(base: Process, options: ExecOptions): Process {
  return options.process ? ofDocument(base, options.process, options.tty) : ofFlags(base, options)
}

/**
 * What process.json leaves out of these is the container's, as in runc: they confine the container, and a caller that
 * names a command alone does not mean to lift them. Everything else that is left out is not there.
 */
const inherited = [
  'capabilities',
  'apparmorProfile',
  'selinuxLabel',
  'oomScoreAdj',
  'scheduler',
  'ioPriority',
  'execCPUAffinity',
] as const satisfies (keyof Process)[]

function ofDocument(base: Process, document: Process, tty: boolean): Process {
  const of = (process: Process, name: (typeof inherited)[number]): boolean => (process[name] ?? '') !== ''
  const kept = inherited.filter((name) => of(base, name) && !of(document, name)).map((name) => [name, base[name]])
  const { umask } = base.user
  return {
    ...document,
    ...(Object.fromEntries(kept) as Partial<Process>),
    user: umask === undefined ? document.user : { umask, ...document.user },
    terminal: document.terminal || tty,
  }
}

function ofFlags(base: Process, options: ExecOptions): Process {
  const { args, cwd, env, tty, user, additionalGids, caps, noNewPrivs, apparmorProfile, selinuxLabel } = options
  if (args.length === 0) throw new RuntimeError('usage', 'exec needs a command or --process')
  if (cwd !== undefined && !cwd.startsWith('/'))
    throw new RuntimeError('exec-failed', `--cwd ${JSON.stringify(cwd)} is not an absolute path`)
  const unnamed = env.find((variable) => variable.indexOf('=') <= 0)
  if (unnamed !== undefined)
    throw new RuntimeError(
      'exec-failed',
      `invalid environment variable --env ${JSON.stringify(unnamed)}: want NAME=VALUE`,
    )
  const capabilities = addCapabilities(base.capabilities, caps)
  return {
    ...base,
    args,
    terminal: tty,
    cwd: cwd ?? base.cwd,
    env: [...(base.env ?? []), ...env],
    user: addGroups(parseUser(user, base.user), additionalGids),
    ...(capabilities && { capabilities }),
    ...(noNewPrivs !== undefined && { noNewPrivileges: noNewPrivs }),
    ...(apparmorProfile !== undefined && { apparmorProfile }),
    ...(selinuxLabel !== undefined && { selinuxLabel }),
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

/** Beside the container's, which are kept whoever the user is: so runc has it. */
function addGroups(user: User, gids: readonly number[]): User {
  if (gids.length === 0) return user
  return { ...user, additionalGids: [...(user.additionalGids ?? []), ...gids] }
}

/**
 * Unknown names too, which are left out with a warning as those of process.json are. Ambient only beside inheritable ones,
 * without which the kernel would refuse it.
 */
function addCapabilities(base: Capabilities | undefined, names: readonly string[]): Capabilities | undefined {
  if (names.length === 0) return base
  const add = (set: readonly string[] = []): string[] => [...new Set([...set, ...names])]
  return {
    ...base,
    bounding: add(base?.bounding),
    effective: add(base?.effective),
    permitted: add(base?.permitted),
    ...(base?.inheritable && { ambient: add(base.ambient) }),
  }
}
