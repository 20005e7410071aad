/** Steps that turn init into the container's process; create and exec share them (config.md, "Process"). */
import {
  AT_FDCWD,
  LINUX_CAPABILITY_VERSION_3,
  O_CLOEXEC,
  O_PATH,
  PERSONALITY,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  SECCOMP_SET_MODE_FILTER,
  SIG_SETMASK,
} from '@crio-lxc/core/abi/constants'
import type { Errno } from '@crio-lxc/core/abi/errno'
import { capabilityBit, toCapabilityMask } from '@crio-lxc/core/oci/capabilities'
import type { MemoryPolicy, Personality } from '@crio-lxc/core/oci/linux'
import { rlimitsForSetUp } from '@crio-lxc/core/oci/rlimits'
import type { Capabilities, Process, Rlimit } from '@crio-lxc/core/oci/spec'
import { type Arg, Label, type Plan, REPORT, type Slot } from '@crio-lxc/core/plan/plan'
import { listenerRecord, planReport } from '@crio-lxc/core/plan/record'
import { idArray, rlimit64, rlimitResource } from '@crio-lxc/core/plan/structs'
import { openInRoot } from '../inside-root.ts'
import { planAwaitByte } from './await-byte.ts'
import { planFindExecutable } from './executable.ts'
import { planMemoryPolicy } from './memory-policy.ts'
import { isInherited, planIoPriority, planScheduler } from './scheduling.ts'
import { planSecurityLabels } from './security-label.ts'

/** A seccomp filter as seccomp(2) takes it. */
export interface SeccompFilter {
  /** struct sock_filter[], 8 bytes each. */
  readonly program: Uint8Array
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number
  /** seccomp(2) returns a listener, which the process reports before it goes on. */
  readonly notifies: boolean
}

export interface ProcessInputs {
  readonly process: Process
  readonly environment: readonly string[]
  readonly candidates: readonly string[]
  readonly seccomp: SeccompFilter | undefined
  /** linux.personality and linux.memoryPolicy: a process has them too. */
  readonly personality: Personality | undefined
  readonly memoryPolicy: MemoryPolicy | undefined
  /** Apply process.capabilities; false when the operator switched that feature gate off. */
  readonly capabilities: boolean
}

/**
 * Who sets what needs a privilege over the host, of which a process in a user namespace has none (capabilities(7),
 * CAP_SYS_RESOURCE and CAP_SYS_NICE): this process; its parent, before it entered (planPrivileged); or create, for init.
 */
export type Privileged = 'own' | 'parent' | 'create'

/** Where and how init becomes the process. */
export interface Circumstances {
  /** The container's root. */
  readonly root: Arg
  /** A procfs, for security labels; given when the process has any. */
  readonly proc: Arg | undefined
  readonly privileged: Privileged
}

const CAP_SYS_ADMIN = 1n << 21n

/** Before anything of the container can see init: no signal of the caller's, no ptrace, no mode bits cut off. */
export function planPrologue(plan: Plan): void {
  const empty = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step('clear the death signal', 'prctl', [PR_SET_PDEATHSIG, 0, 0, 0, 0])
  plan.step('forbid tracing', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
  plan.step('unblock all signals', 'rt_sigprocmask', [SIG_SETMASK, empty, 0, 8])
  plan.step('set the umask for set-up', 'umask', [0])
}

/**
 * Everything of process but seccomp and execve, in an order in which each step still has the privilege it needs:
 * limits and the bounding set first, then the user, then the exact sets, then what must be done as that user.
 */
export function planBecomeProcess(plan: Plan, inputs: ProcessInputs, circumstances: Circumstances): Slot {
  const { root, proc, privileged } = circumstances
  const { process, personality, memoryPolicy } = inputs
  const { user, scheduler, ioPriority } = process
  if (privileged === 'own') planRlimits(plan, process.rlimits ?? [])
  if (proc !== undefined) planSecurityLabels(plan, process, proc)
  // What a fork takes away fails here in a user namespace, if the kernel gives it to the privileged only.
  if (scheduler && (privileged === 'own' || (privileged === 'parent' && !isInherited(scheduler))))
    planScheduler(plan, scheduler)
  if (ioPriority && privileged === 'own') planIoPriority(plan, ioPriority)
  if (memoryPolicy) planMemoryPolicy(plan, memoryPolicy)
  if (personality)
    plan.step(`set linux.personality to ${personality.domain}`, 'personality', [PERSONALITY[personality.domain]])
  if (process.noNewPrivileges) plan.step('set process.noNewPrivileges', 'prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])
  const capabilities = inputs.capabilities ? process.capabilities : undefined
  const limitsCapabilities = inputs.capabilities
  if (limitsCapabilities) planBoundingSet(plan, capabilities)
  const cwd = { path: process.cwd, root, entered: plan.slot('process.cwd is entered') }
  planEnterCwdAsRoot(plan, cwd)
  plan.step('keep capabilities while the user changes', 'prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0])
  const groups = user.additionalGids ?? []
  plan.step('set process.user.additionalGids', 'setgroups', [groups.length, idArray(plan, groups)])
  plan.step('set process.user.gid', 'setresgid', [user.gid, user.gid, user.gid])
  plan.step('set process.user.uid', 'setresuid', [user.uid, user.uid, user.uid])
  plan.step('stop keeping capabilities', 'prctl', [PR_SET_KEEPCAPS, 0, 0, 0, 0])
  // A filter without no_new_privs needs CAP_SYS_ADMIN; execve drops it because it is in no set that survives.
  const extra = inputs.seccomp && !process.noNewPrivileges ? CAP_SYS_ADMIN : 0n
  if (limitsCapabilities) planCapabilitySets(plan, capabilities, extra)
  plan.step('forbid tracing by the same user', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
  planEnterCwdAsUser(plan, cwd)
  plan.step('set process.user.umask', 'umask', [user.umask ?? 0o022])
  return planFindExecutable(plan, inputs.candidates)
}

export interface Execution {
  /** Holds the address of the executable's path. */
  readonly executable: Slot
  /** For a filter that notifies: the fd from which a byte comes when the agent has the listener. */
  readonly acknowledge?: Arg | undefined
  /** Who reads that the kernel has refused the program looks at the process before it ends. */
  readonly awaitReader?: boolean
}

/** The last steps before the container's program runs. */
export function planExecute(
  plan: Plan,
  inputs: ProcessInputs,
  { executable, acknowledge, awaitReader = false }: Execution,
): void {
  const nofile = inputs.process.rlimits?.findLast(({ type }) => type === 'RLIMIT_NOFILE')
  if (nofile) planRlimit(plan, nofile)
  const args = plan.strings(inputs.process.args)
  const environment = plan.strings(inputs.environment)
  if (inputs.seccomp) planSeccomp(plan, inputs.seccomp, acknowledge)
  plan.step('execute process.args', 'execve', [executable, args, environment], { role: 'execute', awaitReader })
}

/** Before a user namespace is entered, with the privileges of the host: what the child that will be the process inherits. */
export function planPrivileged(plan: Plan, { rlimits = [], scheduler, ioPriority }: Process): void {
  planRlimits(plan, rlimits)
  if (scheduler && isInherited(scheduler)) planScheduler(plan, scheduler)
  if (ioPriority) planIoPriority(plan, ioPriority)
}

/** All of them, with room for the open files of the set-up: their own limit comes last, in planExecute. */
function planRlimits(plan: Plan, rlimits: readonly Rlimit[]): void {
  for (const rlimit of rlimitsForSetUp(rlimits)) planRlimit(plan, rlimit, rlimit.optional ? ['EPERM'] : [])
}

/** A process in a user namespace becomes its root: until then nothing it makes there has an owner. */
export function planBecomeNamespaceRoot(plan: Plan): void {
  plan.step("become root of the container's user namespace (gid)", 'setresgid', [0, 0, 0])
  plan.step("become root of the container's user namespace (uid)", 'setresuid', [0, 0, 0])
  // The change of ids may have allowed it (prctl(2), PR_SET_DUMPABLE; CVE-2016-9962).
  plan.step('forbid tracing as root of the namespace', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
}

/** prlimit(2). */
const RAISED = { EPERM: 'lower it, or give the runtime CAP_SYS_RESOURCE' }
/** proc_sys_fs(5). */
const RAISED_FILES = { EPERM: `${RAISED.EPERM}; no limit of files exceeds /proc/sys/fs/nr_open` }

function planRlimit(plan: Plan, { type, soft, hard }: Rlimit, ignore: readonly Errno[] = []): void {
  const limit = rlimit64(plan, soft, hard)
  const advice = type === 'RLIMIT_NOFILE' ? RAISED_FILES : RAISED
  plan.step(`set ${type} of process.rlimits`, 'prlimit64', [0, rlimitResource(type), limit, 0], { ignore, advice })
}

function planBoundingSet(plan: Plan, capabilities: Capabilities | undefined): void {
  const bounding = toCapabilityMask(capabilities?.bounding ?? [], 'process.capabilities.bounding')
  for (const [name, number] of Object.entries(capabilityBit)) {
    if (bounding & (1n << BigInt(number))) continue
    // EINVAL: the kernel is older than this capability.
    plan.step(`drop ${name} from the bounding set`, 'prctl', [PR_CAPBSET_DROP, number, 0, 0, 0], { ignore: ['EINVAL'] })
  }
}

function planCapabilitySets(plan: Plan, sets: Capabilities | undefined, extra: bigint): void {
  const mask = (name: 'effective' | 'permitted' | 'inheritable' | 'ambient'): bigint =>
    toCapabilityMask(sets?.[name] ?? [], `process.capabilities.${name}`)
  const effective = mask('effective') | extra
  const permitted = mask('permitted') | extra
  const inheritable = mask('inheritable')
  const header = plan.struct(
    8,
    () => '{_LINUX_CAPABILITY_VERSION_3, 0}',
    (view, at) => {
      view.setUint32(at, LINUX_CAPABILITY_VERSION_3, true)
    },
  )
  const data = plan.struct(
    24,
    () =>
      `{effective=${effective.toString(16)}, permitted=${permitted.toString(16)}, inheritable=${inheritable.toString(16)}}`,
    (view, at) => {
      for (const [index, set] of [effective, permitted, inheritable].entries()) {
        view.setUint32(at + 4 * index, Number(set & 0xffffffffn), true)
        view.setUint32(at + 12 + 4 * index, Number(set >> 32n), true)
      }
    },
  )
  plan.step('set process.capabilities (effective, permitted, inheritable)', 'capset', [header, data])
  plan.step('clear the ambient set', 'prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0])
  // The kernel keeps ambient within permitted and inheritable; runc's default spec asks for more, and gets that much.
  const ambient = mask('ambient') & permitted & inheritable
  for (const [name, number] of Object.entries(capabilityBit))
    if (ambient & (1n << BigInt(number)))
      plan.step(`raise ${name} of process.capabilities.ambient`, 'prctl', [
        PR_CAP_AMBIENT,
        PR_CAP_AMBIENT_RAISE,
        number,
        0,
        0,
      ])
}

/** Resolved inside the root and entered by fd, so that a path below /proc/self/fd cannot lead out (CVE-2024-21626). */
interface Cwd {
  readonly path: string
  readonly root: Arg
  /** Not 0 once the process is there. */
  readonly entered: Slot
}

/** As runc: with the privileges of root first, as the process may have none with which its user could go there. */
function planEnterCwdAsRoot(plan: Plan, cwd: Cwd): void {
  planEnterCwd(plan, cwd, ['EACCES', 'EPERM'])
}

/** Where root is nobody, as on FUSE and NFS, the user of the process may go. */
function planEnterCwdAsUser(plan: Plan, cwd: Cwd): void {
  const end = new Label()
  plan.step('see whether process.cwd is entered', 'move', [cwd.entered], { onOk: end, onOkIfNonZero: true })
  planEnterCwd(plan, cwd, [])
  plan.place(end)
}

const GIVE_ONE = 'give a directory that the container has'
const noDirectory = { ENOENT: GIVE_ONE, ENOTDIR: GIVE_ONE }

function planEnterCwd(plan: Plan, { path, root, entered }: Cwd, ignore: readonly Errno[]): void {
  const [directory, close, end] = [plan.slot('process.cwd'), new Label(), new Label()]
  const flags = O_PATH | plan.arch.O_DIRECTORY
  const what = `open process.cwd ${path}`
  openInRoot(plan, { root, path }, { what, flags, result: directory, ignore, onIgnored: end, advice: noDirectory })
  plan.step(`enter process.cwd ${path}`, 'fchdir', [directory], { ignore, onIgnored: close })
  plan.step('remember that process.cwd is entered', 'move', [1], { result: entered })
  plan.place(close)
  plan.step('close process.cwd', 'close', [directory])
  plan.place(end)
}

function planSeccomp(plan: Plan, { program, flags, notifies }: SeccompFilter, acknowledge: Arg | undefined): void {
  const filter = plan.blob(program, () => `[${program.length / 8} instructions]`)
  const fprog = plan.struct(
    16,
    () => `{${program.length / 8} instructions}`,
    (view, at) => {
      view.setUint16(at, program.length / 8, true)
      view.setUint32(at + 8, filter.address >>> 0, true)
      view.setUint32(at + 12, Math.floor(filter.address / 2 ** 32), true)
    },
  )
  const load: readonly Arg[] = [SECCOMP_SET_MODE_FILTER, flags, fprog]
  if (!notifies || acknowledge === undefined) {
    plan.step('load linux.seccomp', 'seccomp', load)
    return
  }
  const { record, value: listener } = listenerRecord(plan)
  plan.step('load linux.seccomp', 'seccomp', load, { result: listener })
  // From here on the filter holds for these calls too. A write is all that must be allowed: the agent answers the rest.
  planReport(plan, 'report the seccomp listener', REPORT, record)
  // The listener is closed by execve. End of file: nobody has taken it, and every notified call would fail.
  planAwaitByte(plan, 'wait until the seccomp agent has the listener', acknowledge, { demanded: true })
}

/** An O_PATH fd of the container's root, taken once nothing else is mounted over it. */
export function planOpenRoot(plan: Plan): Slot {
  const root = plan.slot('root')
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step('open the root', 'openat', [AT_FDCWD, plan.string('/'), flags], { result: root })
  return root
}
