/**
 * The system calls of the runtime's programs as a seccomp profile of the runtime-spec, for who runs crio-lxc itself under a
 * filter: an outer container, or SystemCallFilter= of a unit. What containers run needs more. Shown by
 * test/integration/system-calls.own.test.ts.
 */
import { arm64, callNumbers } from '../../packages/core/src/abi/arch.ts'

/** Beside what crio-lxc itself calls by name; what one processor alone has is unknown to the other, and has no effect there. */
const ofLibraries = {
  /** musl and QuickJS in crio-lxc and crio-lxc-hook: their start, memory, posix_spawn, the return of a signal handler. */
  programs: ['arch_prctl', 'brk', 'dup2', 'mmap', 'munmap', 'rt_sigreturn', 'set_tid_address'],
  /** glibc and liblxc in crio-lxc-start. */
  monitor: [
    'access',
    'capget',
    'dup',
    'epoll_create1',
    'epoll_ctl',
    'epoll_wait',
    'getgid',
    'getpeername',
    'getrandom',
    'getsockname',
    'getuid',
    'lseek',
    'mkdir',
    'mprotect',
    'rseq',
    'set_robust_list',
    'waitid',
  ],
  /** ps(1) and sha256sum(1), which ps and check run. */
  programsOfTheHost: ['fadvise64', 'get_mempolicy', 'sched_getaffinity'],
  /** In the place of those above in other versions of these libraries, or when there is little memory. */
  instead: [
    'epoll_pwait',
    'exit',
    'fstat',
    'lstat',
    'madvise',
    'mremap',
    'open',
    'readlink',
    'restart_syscall',
    'stat',
  ],
} as const

/** As names in order; they are the same for both processors. */
export function systemCalls(): { readonly own: readonly string[]; readonly libraries: readonly string[] } {
  return {
    own: Object.keys(callNumbers(arm64)).toSorted(),
    libraries: Object.values(ofLibraries).flat().toSorted(),
  }
}

/** ENOSYS for the rest: a C library then takes an older call in the place of one that it finds missing. */
export function systemCallProfile(): string {
  const { own, libraries } = systemCalls()
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
    syscalls: [own, libraries].map((names) => ({ names, action: 'SCMP_ACT_ALLOW' })),
  }
  return `${JSON.stringify(profile, undefined, 2)}\n`
}
