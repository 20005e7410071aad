/** The report of test/fixtures/programs/probe.c. */

export interface Device {
  type: string
  mode: string
  major: number
  minor: number
  uid: number
  gid: number
  target: string | null
  opens: boolean
}

export interface ProbeReport {
  pid: number
  ppid: number
  /** Real, effective, saved. */
  uid: [number, number, number]
  gid: [number, number, number]
  groups: number[]
  umask: string
  noNewPrivs: number
  seccomp: number
  dumpable: number
  deathSignal: number
  subreaper: number
  cwd: string | null
  hostname: string
  domainname: string
  argv: string[]
  env: string[]
  /** Hexadecimal masks. */
  capabilities: Record<'effective' | 'permitted' | 'inheritable' | 'bounding' | 'ambient', string>
  /** [soft, hard] in decimal; infinity is 18446744073709551615. */
  rlimits: Record<string, [string, string]>
  signalsBlocked: number[]
  signalsIgnored: number[]
  /** Open descriptors with what they point at (null without /proc). */
  fds: Record<string, string | null>
  namespaces: Record<string, string | null>
  devices: Record<string, Device>
  tty: {
    isatty: [boolean, boolean, boolean]
    name: string | null
    controlling: boolean
    session: number
    ttySession: number
    foreground: number
    group: number
    rows: number
    columns: number
    owner: number
  }
  scheduler: {
    policy: number
    flags: number
    nice: number
    priority: number
    runtime: number
    deadline: number
    period: number
  }
  ioPriority: { class: number; priority: number }
  /** sched_getaffinity(2). */
  cpus: number[]
  /** get_mempolicy(2), the first 64 nodes as a mask. */
  memoryPolicy: { mode: number; nodes: number }
  personality: number
  /** clock_gettime(2), nanoseconds in decimal. */
  clocks: { monotonic: string; boottime: string }
  /** uname -m. */
  machine: string
  oomScoreAdj: string | null
  mountinfo: string | null
  cgroup: string | null
}

/** Reads the report out of what the container printed; other lines around it are ignored. */
export function parseProbe(text: string): ProbeReport {
  const line = text.split('\n').find((candidate) => candidate.startsWith('{"pid":'))
  if (line === undefined) throw new Error(`no report of the probe in ${JSON.stringify(text.slice(0, 500))}`)
  return JSON.parse(line) as ProbeReport
}

export interface MountEntry {
  root: string
  point: string
  options: string[]
  /** shared:N, master:N. */
  propagation: string[]
  type: string
  source: string
  superOptions: string[]
}

/** Mounts of /proc/PID/mountinfo (proc(5)), in order. */
export function parseMountinfo(text: string): MountEntry[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , , root = '', point = '', options = '', ...propagation] = before.split(' ')
      const [type = '', source = '', superOptions = ''] = after.split(' ')
      return {
        root,
        point,
        options: options.split(','),
        propagation: propagation.filter((part) => part !== ''),
        type,
        source,
        superOptions: superOptions.split(','),
      }
    })
}

/** The topmost mount on a point. */
export function mountOn(report: ProbeReport, point: string): MountEntry | undefined {
  return parseMountinfo(report.mountinfo ?? '').findLast((mount) => mount.point === point)
}

const capabilityNames =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  )

/** The probe's hexadecimal mask of these capabilities (capabilities(7) order). */
export function capabilityMask(...names: readonly string[]): string {
  return names
    .reduce((mask, name) => {
      const bit = capabilityNames.indexOf(name.replace(/^CAP_/, ''))
      if (bit < 0) throw new Error(`no capability ${name}`)
      return mask | (1n << BigInt(bit))
    }, 0n)
    .toString(16)
}
