/** What no system call replaces: functions of libc and libseccomp that the build links in, and `engine.call` finds by name. */
export const linkedFunctions = [
  'posix_spawn',
  'posix_spawnattr_init',
  'posix_spawnattr_setflags',
  'posix_spawnattr_setsigmask',
  'posix_spawnattr_setsigdefault',
  'posix_spawn_file_actions_init',
  'posix_spawn_file_actions_adddup2',
  'posix_spawn_file_actions_destroy',
  'seccomp_init',
  'seccomp_release',
  'seccomp_attr_set',
  'seccomp_arch_add',
  'seccomp_arch_native',
  'seccomp_arch_resolve_name',
  'seccomp_syscall_resolve_name',
  'seccomp_syscall_resolve_name_arch',
  'seccomp_rule_add_array',
  'seccomp_export_bpf',
] as const

export type LinkedFunction = (typeof linkedFunctions)[number]
