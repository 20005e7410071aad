/** The words that fields of config.json may have, and what is done with each: rows of support.ts. */
import type { Decision } from './decision.ts'
import type { MemoryPolicy, NamespaceType, SeccompAction, SeccompArch, SeccompFlag, SeccompOperator } from './linux.ts'
import type { Scheduler } from './spec.ts'

type Words<Word extends string> = { readonly [Each in Exclude<Word, ''>]: Decision }

export const seccompActions: Words<SeccompAction> = {
  SCMP_ACT_KILL: 'supported',
  SCMP_ACT_KILL_PROCESS: 'supported',
  SCMP_ACT_KILL_THREAD: 'supported',
  SCMP_ACT_TRAP: 'supported',
  SCMP_ACT_ERRNO: 'supported',
  SCMP_ACT_TRACE: 'supported',
  SCMP_ACT_ALLOW: 'supported',
  SCMP_ACT_LOG: 'supported',
  SCMP_ACT_NOTIFY: 'supported',
}

export const seccompOperators: Words<SeccompOperator> = {
  SCMP_CMP_NE: 'supported',
  SCMP_CMP_LT: 'supported',
  SCMP_CMP_LE: 'supported',
  SCMP_CMP_EQ: 'supported',
  SCMP_CMP_GE: 'supported',
  SCMP_CMP_GT: 'supported',
  SCMP_CMP_MASKED_EQ: 'supported',
}

export const seccompFlags: Words<SeccompFlag> = {
  SECCOMP_FILTER_FLAG_TSYNC: 'supported',
  SECCOMP_FILTER_FLAG_LOG: 'supported',
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 'supported',
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 'supported',
}

export const seccompArchitectures: Words<SeccompArch> = {
  SCMP_ARCH_X86: 'supported',
  SCMP_ARCH_X86_64: 'supported',
  SCMP_ARCH_X32: 'supported',
  SCMP_ARCH_ARM: 'supported',
  SCMP_ARCH_AARCH64: 'supported',
  SCMP_ARCH_LOONGARCH64: 'supported',
  SCMP_ARCH_M68K: 'supported',
  SCMP_ARCH_MIPS: 'supported',
  SCMP_ARCH_MIPS64: 'supported',
  SCMP_ARCH_MIPS64N32: 'supported',
  SCMP_ARCH_MIPSEL: 'supported',
  SCMP_ARCH_MIPSEL64: 'supported',
  SCMP_ARCH_MIPSEL64N32: 'supported',
  SCMP_ARCH_PPC: 'supported',
  SCMP_ARCH_PPC64: 'supported',
  SCMP_ARCH_PPC64LE: 'supported',
  SCMP_ARCH_S390: 'supported',
  SCMP_ARCH_S390X: 'supported',
  SCMP_ARCH_SH: 'supported',
  SCMP_ARCH_SHEB: 'supported',
  SCMP_ARCH_PARISC: 'supported',
  SCMP_ARCH_PARISC64: 'supported',
  SCMP_ARCH_RISCV64: 'supported',
}

export const memoryPolicyModes: Words<NonNullable<MemoryPolicy['mode']>> = {
  MPOL_DEFAULT: 'supported',
  MPOL_BIND: 'supported',
  MPOL_INTERLEAVE: 'supported',
  MPOL_WEIGHTED_INTERLEAVE: 'supported',
  MPOL_PREFERRED: 'supported',
  MPOL_PREFERRED_MANY: 'supported',
  MPOL_LOCAL: 'supported',
}

export const memoryPolicyFlags: Words<NonNullable<MemoryPolicy['flags']>[number]> = {
  MPOL_F_NUMA_BALANCING: 'supported',
  MPOL_F_RELATIVE_NODES: 'supported',
  MPOL_F_STATIC_NODES: 'supported',
}

export const namespaceTypes: Words<NamespaceType> = {
  pid: 'supported',
  network: 'supported',
  mount: 'supported',
  ipc: 'supported',
  uts: 'supported',
  user: 'supported',
  cgroup: 'supported',
  time: 'supported',
}

export const schedulerPolicies: Words<Scheduler['policy']> = {
  SCHED_OTHER: 'supported',
  SCHED_FIFO: 'supported',
  SCHED_RR: 'supported',
  SCHED_BATCH: 'supported',
  SCHED_ISO: { unsupported: 'Linux has no such policy' },
  SCHED_IDLE: 'supported',
  SCHED_DEADLINE: 'supported',
}
