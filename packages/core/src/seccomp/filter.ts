/** linux.seccomp as a libseccomp filter (config-linux.md, "Seccomp"). PURE. */
import { encode } from '../abi/bytes.ts'
import { SpecError } from '../errors/runtime-error.ts'
import type { Seccomp, SeccompAction, SeccompArg, SeccompFlag, SeccompOperator } from '../oci/linux.ts'

/** A comparison of one argument of a system call; struct scmp_arg_cmp. */
export interface ArgumentTest {
  readonly index: number
  readonly op: number
  readonly a: number | bigint
  readonly b: number | bigint
}

export interface FilterRule {
  readonly action: number
  readonly syscall: string
  /** All of them must hold. The same array for all names of a list. */
  readonly tests: readonly ArgumentTest[]
}

export interface Filter {
  readonly defaultAction: number
  /** Names as seccomp_arch_resolve_name(3) takes them: x86_64, x86, x32, aarch64 and so on. */
  readonly architectures: readonly string[]
  readonly rules: readonly FilterRule[]
  /** System calls newer than these are not implemented; absent when the filter says of all what happens. */
  readonly known?: readonly string[]
}

const EPERM = 1
const ENOSYS = 38
/** libseccomp takes no number that a system call could not return. */
const MAX_ERRNO = 4094

/** linux/seccomp.h; the low 16 bits of ERRNO and TRACE carry a number. */
const actions: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}

/** enum scmp_compare. */
const operators: Readonly<Record<SeccompOperator, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
}

/** linux/seccomp.h. */
export const flags: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
}

/** seccomp(2) returns a listener. */
const NEW_LISTENER = 8
/** Makes TSYNC report failures in a way that leaves room for the listener. */
const TSYNC_ESRCH = 16
/** PATH_MAX without its NUL, bytes: the address of a socket is shorter, but a path may lead to it. */
const SOCKET_PATH_MAX = 4095

export function toFilter(seccomp: Seccomp): Filter {
  checkListener(seccomp)
  const defaultAction = toAction(seccomp.defaultAction, seccomp.defaultErrnoRet, 'linux.seccomp.defaultErrnoRet')
  const rules = (seccomp.syscalls ?? []).flatMap(({ names, action, errnoRet, args = [] }, index): FilterRule[] => {
    const value = toAction(action, errnoRet, `linux.seccomp.syscalls[${index}].errnoRet`)
    // libseccomp refuses a rule that says what happens anyway.
    if (value === defaultAction) return []
    // Once for hundreds of names.
    const each = conditions(args).map((tests) => tests.map(toTest))
    return names.flatMap((syscall) => each.map((tests) => ({ action: value, syscall, tests })))
  })
  return {
    defaultAction,
    architectures: (seccomp.architectures ?? []).map(toArchitecture),
    rules,
    ...(refusesNewer(seccomp) && { known: (seccomp.syscalls ?? []).flatMap(({ names }) => names) }),
  }
}

/** A tracer answers for calls that it does not know itself. */
function refusesNewer({ defaultAction, defaultErrnoRet }: Seccomp): boolean {
  const permits = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(defaultAction)
  return !permits && defaultErrnoRet !== ENOSYS
}

/** True when a rule asks an agent: seccomp(2) then returns a listener. */
export function notifies({ syscalls = [] }: Seccomp): boolean {
  return syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY')
}

/**
 * Without linux.seccomp.flags, as in runc since 1.2 and crun: before Linux 5.16 every filter would otherwise slow its
 * process down by the mitigation of Speculative Store Bypass. An empty list is none.
 */
const DEFAULT_FLAGS: readonly SeccompFlag[] = ['SECCOMP_FILTER_FLAG_SPEC_ALLOW']

/** SECCOMP_FILTER_FLAG_* for seccomp(2). */
export function filterFlags(seccomp: Seccomp): number {
  const asked = (seccomp.flags ?? DEFAULT_FLAGS).reduce((sum, flag) => sum | flags[flag], 0)
  // The kernel takes this flag with a listener only; without one there is nothing to be received.
  if (!notifies(seccomp)) return asked & ~flags.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
  return asked | NEW_LISTENER | (asked & flags.SECCOMP_FILTER_FLAG_TSYNC ? TSYNC_ESRCH : 0)
}

/** config-linux.md on listenerPath and listenerMetadata, and what runc asks of SCMP_ACT_NOTIFY. */
export function checkListener(seccomp: Seccomp): void {
  const { defaultAction, listenerPath = '', listenerMetadata = '', syscalls = [] } = seccomp
  if (listenerMetadata && !listenerPath)
    throw new SpecError('linux.seccomp.listenerMetadata', 'must not be set without linux.seccomp.listenerPath')
  if (defaultAction === 'SCMP_ACT_NOTIFY')
    throw new SpecError('linux.seccomp.defaultAction', 'SCMP_ACT_NOTIFY cannot be the default: name the system calls')
  for (const [index, { names, action }] of syscalls.entries()) {
    if (action !== 'SCMP_ACT_NOTIFY') continue
    if (names.includes('write'))
      throw new SpecError(
        `linux.seccomp.syscalls[${index}].names`,
        'SCMP_ACT_NOTIFY cannot be used for write, with which the process hands the listener over',
      )
    if (!listenerPath.startsWith('/') || encode(listenerPath).length > SOCKET_PATH_MAX)
      throw new SpecError(
        'linux.seccomp.listenerPath',
        `must be the absolute path of the agent's socket for SCMP_ACT_NOTIFY, of at most ${SOCKET_PATH_MAX} bytes, got ${JSON.stringify(listenerPath)}`,
      )
  }
}

/** Tests of one rule hold together; two of the same argument could not, so each is then a rule of its own (runc). */
function conditions(args: readonly SeccompArg[]): readonly (readonly SeccompArg[])[] {
  const indexes = new Set(args.map(({ index }) => index))
  return indexes.size === args.length ? [args] : args.map((arg) => [arg])
}

/** With MASKED_EQ `value` is the mask and `valueTwo` what must remain; libseccomp wants them in that order. */
function toTest({ index, value, valueTwo = 0, op }: SeccompArg): FilterRule['tests'][number] {
  return { index, op: operators[op], a: value, b: valueTwo }
}

function toAction(action: SeccompAction, errno: number | undefined, pointer: string): number {
  const carries = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE'
  if (errno !== undefined && !carries) throw new SpecError(pointer, `${action} carries no errno: remove it`)
  if (action === 'SCMP_ACT_ERRNO' && errno !== undefined && errno > MAX_ERRNO)
    throw new SpecError(pointer, `must be at most ${MAX_ERRNO}, got ${errno}`)
  return actions[action] + (carries ? (errno ?? EPERM) : 0)
}

/** SCMP_ARCH_X86_64 is x86_64 to seccomp_arch_resolve_name(3). */
function toArchitecture(name: string): string {
  return name.slice('SCMP_ARCH_'.length).toLowerCase()
}
