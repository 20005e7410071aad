/** Steps that turn the executor into a process of config.json: init, one of exec or a hook (config.md, "Process"). */
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_PATH,
  PERSONALITY,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  SIG_SETMASK,
} from '@crio-lxc/core/abi/constants'
import type { MemoryPolicy, Personality } from '@crio-lxc/core/oci/linux'
import type { Process } from '@crio-lxc/core/oci/spec'
import type { Arg, Plan, Slot } from '@crio-lxc/core/plan/plan'
import { idArray } from '@crio-lxc/core/plan/structs'
import { planBoundingSet, planCapabilitySets } from './capabilities.ts'
import { planFindExecutable } from './executable.ts'
import { planMemoryPolicy } from './memory-policy.ts'
import { planRlimitOfFiles, planRlimits } from './rlimits.ts'
import { isInherited, planIoPriority, planScheduler } from './scheduling.ts'
import { planSeccomp, type SeccompFilter } from './seccomp.ts'
import { planSecurityLabels } from './security-label.ts'
import { planEnterCwdAsRoot, planEnterCwdAsUser } from './working-directory.ts'

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

/** Where and how the executor becomes the process. */
export interface Circumstances {
  /** The container's root. */
  readonly root: Arg
  /** A procfs, for security labels; given when the process has any. */
  readonly proc: Arg | undefined
  readonly privileged: Privileged
}

const CAP_SYS_ADMIN = 1n << 21n

/** Before anything of the container can see the executor: no signal of the caller's, no ptrace, no mode bits cut off. */
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
  planRlimitOfFiles(plan, inputs.process.rlimits ?? [])
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

/** A process in a user namespace becomes its root: until then nothing it makes there has an owner. */
export function planBecomeNamespaceRoot(plan: Plan): void {
  plan.step("become root of the container's user namespace (gid)", 'setresgid', [0, 0, 0])
  plan.step("become root of the container's user namespace (uid)", 'setresuid', [0, 0, 0])
  // The change of ids may have allowed it (prctl(2), PR_SET_DUMPABLE; CVE-2016-9962).
  plan.step('forbid tracing as root of the namespace', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
}

/** An O_PATH fd of the container's root, taken once nothing else is mounted over it. */
export function planOpenRoot(plan: Plan): Slot {
  const root = plan.slot('root')
  const flags = O_PATH | O_CLOEXEC | plan.arch.O_DIRECTORY
  plan.step('open the root', 'openat', [AT_FDCWD, plan.string('/'), flags], { result: root })
  return root
}
