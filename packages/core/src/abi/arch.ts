/**
 * What differs between the architectures of the plan executor: system call numbers (asm/unistd.h) and two open
 * flags (asm/fcntl.h). Everything else the plans use is the same on both.
 */
export interface Arch {
  readonly name: 'x64' | 'arm64'
  readonly O_DIRECTORY: number
  readonly O_NOFOLLOW: number
}

/** System calls that plans make, or the runtime itself, by their kernel names. */
export type Call = keyof typeof numbers

/** By x64 and arm64. */
export const numbers = {
  bind: [49, 200],
  bpf: [321, 280],
  capset: [126, 91],
  chdir: [80, 49],
  clock_gettime: [228, 113],
  clone: [56, 220],
  clone3: [435, 435],
  close: [3, 57],
  close_range: [436, 436],
  connect: [42, 203],
  dup3: [292, 24],
  eventfd2: [290, 19],
  execve: [59, 221],
  exit_group: [231, 94],
  faccessat: [269, 48],
  fchdir: [81, 50],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchown: [93, 55],
  fchownat: [260, 54],
  fcntl: [72, 25],
  fgetxattr: [193, 10],
  flistxattr: [196, 13],
  flock: [73, 32],
  fsconfig: [431, 431],
  fsetxattr: [190, 7],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fstatfs: [138, 44],
  futex: [202, 98],
  getcwd: [79, 17],
  getdents64: [217, 61],
  getegid: [108, 177],
  geteuid: [107, 175],
  getpgid: [121, 155],
  getpid: [39, 172],
  getppid: [110, 173],
  ioctl: [16, 29],
  ioprio_set: [251, 30],
  keyctl: [250, 219],
  kill: [62, 129],
  memfd_create: [319, 279],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  newfstatat: [262, 79],
  open_tree: [428, 428],
  openat: [257, 56],
  openat2: [437, 437],
  personality: [135, 92],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pipe2: [293, 59],
  pivot_root: [155, 41],
  ppoll: [271, 73],
  prctl: [157, 167],
  pread64: [17, 67],
  prlimit64: [302, 261],
  pwrite64: [18, 68],
  read: [0, 63],
  readlinkat: [267, 78],
  recvfrom: [45, 207],
  recvmsg: [47, 212],
  renameat2: [316, 276],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  seccomp: [317, 277],
  sendmsg: [46, 211],
  sendto: [44, 206],
  set_mempolicy: [238, 237],
  setdomainname: [171, 162],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setns: [308, 268],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setsid: [112, 157],
  setsockopt: [54, 208],
  setxattr: [188, 5],
  signalfd4: [289, 74],
  socket: [41, 198],
  socketpair: [53, 199],
  statfs: [137, 43],
  statx: [332, 291],
  symlinkat: [266, 36],
  umask: [95, 166],
  umount2: [166, 39],
  unlinkat: [263, 35],
  unshare: [272, 97],
  wait4: [61, 260],
  write: [1, 64],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>

export const x64: Arch = { name: 'x64', O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 }
export const arm64: Arch = { name: 'arm64', O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 }

/** The number of a system call. Looked up in the table as it stands: two objects made of it at load would be a twentieth of a start. */
export function callNumber({ name }: Arch, call: Call): number {
  return numbers[call][name === 'x64' ? 0 : 1]
}

/** The Arch of a `process.arch`; undefined where no executor exists. */
export function archOf(name: string): Arch | undefined {
  return name === 'x64' ? x64 : name === 'arm64' ? arm64 : undefined
}
