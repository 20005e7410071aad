/** What single fields of config.json become in the plans, one statement a test. */
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import type { Resources } from '@crio-lxc/core/oci/resources'
import type { Mount, Process, Spec } from '@crio-lxc/core/oci/spec'
import { type PrintedStep, printPlan } from '@crio-lxc/core/plan/print'
import { describe, expect, test } from 'vitest'
import { planAll } from '../../../../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import { inputsOf } from './golden/golden-text.ts'
import { setsOf, specWith, v1, v2 } from './golden/specs.ts'

function stepsOf(spec: Spec): PrintedStep[] {
  return printPlan(planAll(inputsOf({ spec, layout: v2 })).container)
}

function withMounts(...mounts: readonly Mount[]): PrintedStep[] {
  return stepsOf(specWith({ mounts }))
}

function withProcess(process: Partial<Process>): PrintedStep[] {
  return stepsOf(specWith({ process }))
}

/** The calls of the steps whose words match, in their order. */
function calls(steps: readonly PrintedStep[], words: RegExp): string[] {
  return steps.filter(({ what }) => words.test(what)).map(({ call }) => call)
}

/** Where the one step is whose words match. */
function at(steps: readonly PrintedStep[], words: RegExp): number {
  const found = steps.filter(({ what }) => words.test(what))
  expect(found).toHaveLength(1)
  return (found[0] as PrintedStep).step
}

function expectOrder(steps: readonly PrintedStep[], ...words: readonly RegExp[]): void {
  const places = words.map((each) => at(steps, each))
  expect(places).toEqual([...places].sort((a, b) => a - b))
}

describe('linux.maskedPaths', () => {
  const masked = (...maskedPaths: readonly string[]) => stepsOf(specWith({ linux: { maskedPaths } }))

  test('hide a directory behind the empty one, and anything else behind the null device', () => {
    const steps = masked('/srv')
    const [ofFile, ofDirectory] = steps.filter(({ what }) => what === 'copy the mask for /srv')
    expect(ofFile?.call).toMatch(/, "null", /)
    expect(ofDirectory?.call).toMatch(/, "empty", /)
    const [asDirectory, asFile] = steps.filter(({ what }) => what === 'open /srv to mask it')
    expect(asDirectory?.next).toContain(`after success go to ${ofDirectory?.step}`)
    expect((asFile?.step ?? 0) + 1).toBe(ofFile?.step)
  })

  test('are masked by what is read-only before it is copied', () => {
    const steps = masked('/srv')
    expect(calls(steps, /^make the masks read-only$/)).toEqual([expect.stringContaining('attr_set=0x1,')])
    const copies = steps.filter(({ what }) => what.startsWith('copy the mask for ')).map(({ step }) => step)
    expect(Math.min(...copies)).toBeGreaterThan(at(steps, /^make the masks read-only$/))
  })

  test('may be missing, and nothing else may fail (CVE-2025-31133)', () => {
    const steps = masked('/srv').filter(({ what }) => what.includes('/srv'))
    expect(
      steps.map(({ next = '' }) => /^([A-Z, ]+) ignored|; ([A-Z, ]+) ignored/.exec(next)?.[0]).filter(Boolean),
    ).toEqual(['; ENOENT, ENOTDIR ignored', 'ENOENT ignored'])
  })

  test('are found in the proc and sysfs that were mounted, through no symlink', () => {
    for (const call of calls(masked('/proc/kcore'), /^open \/proc\/kcore to mask it$/))
      expect(call).toMatch(/^openat2\(<mount on the target of mounts\[0\]>, "kcore", \{flags=\d+, resolve=0xa\}/)
  })
})

describe('linux.readonlyPaths', () => {
  test('are read-only before they appear', () => {
    const steps = stepsOf(specWith({ linux: { readonlyPaths: ['/srv'] } }))
    expectOrder(steps, /^bind \/srv to make/, /^make \/srv read-only$/, /^attach the read-only \/srv$/)
  })
})

describe('mounts', () => {
  test('are made in the order of the list', () => {
    const steps = withMounts(
      { destination: '/b', type: 'tmpfs', source: 'x' },
      { destination: '/a', type: 'bind', source: '/s' },
    )
    expectOrder(steps, /^mount tmpfs on \/b for mounts\[0\]$/, /^attach \/s to \/a for mounts\[1\]$/)
  })

  test('have their flags and data in mount(2)', () => {
    const options = ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=64k']
    const steps = withMounts({ destination: '/a', type: 'tmpfs', source: 'shm', options })
    expect(calls(steps, /^mount tmpfs on \/a/)).toEqual(['mount("shm", ".", "tmpfs", 14, "mode=1777,size=64k")'])
  })

  test('lie where the root has them, whatever symlinks and dots say', () => {
    const steps = withMounts({ destination: '/../a/../b', type: 'tmpfs', source: 'x', options: ['mode=755'] })
    const [open] = calls(steps, /^open \/\.\.\/a\/\.\.\/b in the rootfs for mounts\[0\]$/)
    expect(open).toMatch(/^openat2\(20, "b", \{flags=\d+, resolve=0x12\}, 24\)/)
  })

  test('of proc and sysfs lie where no symlink leads (CVE-2019-19921)', () => {
    const steps = withMounts(
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/sys', type: 'sysfs', source: 'sysfs' },
    )
    const opened = calls(steps, /^open \/(proc|sys) in the rootfs for mounts/)
    expect(opened.length).toBeGreaterThan(0)
    for (const call of opened) expect(call).toContain('resolve=0x16')
  })

  test('that are binds are attached by what create has opened, not by a path', () => {
    const steps = withMounts({ destination: '/a', type: 'bind', source: '/s', options: ['ro'] })
    expect(calls(steps, /^attach \/s to \/a/)).toEqual(['move_mount(1000, "", <target of mounts[0]>, "", 68)'])
  })

  test('that are read-only tmpfs become so when the mount points in them are made', () => {
    const steps = withMounts(
      { destination: '/a', type: 'tmpfs', source: 'x', options: ['ro', 'mode=755'] },
      { destination: '/a/b', type: 'tmpfs', source: 'x', options: ['mode=755'] },
    )
    expect(calls(steps, /^mount tmpfs on \/a for/)).toEqual(['mount("x", ".", "tmpfs", 0, "mode=755")'])
    expectOrder(steps, /^mount tmpfs on \/a\/b for/, /^make \/a read-only$/, /^make the rootfs the root$/)
  })

  test('have the propagation of their options', () => {
    const steps = withMounts({ destination: '/a', type: 'tmpfs', source: 'x', options: ['rslave', 'mode=755'] })
    expect(calls(steps, /^set the propagation of \/a/)).toEqual(['mount(0, ".", 0, 0x84000, 0)'])
  })

  test.each([
    ['/', 'tmpfs', 'must not be the root'],
    ['/proc', 'tmpfs', 'only proc may be mounted on /proc'],
    ['/proc/sys', 'tmpfs', 'inside /proc'],
  ])('are refused on %s as %s', (destination, type, problem) => {
    expect(() => withMounts({ destination, type, source: 'x' })).toThrow(problem)
  })
})

describe('process.capabilities', () => {
  const steps = withProcess({
    capabilities: { ...setsOf('CAP_CHOWN', 'CAP_KILL'), inheritable: ['CAP_KILL'], ambient: ['CAP_KILL', 'CAP_CHOWN'] },
  })

  test('are set in this order', () => {
    expectOrder(
      steps,
      /^drop CAP_SYS_ADMIN from the bounding set$/,
      /^keep capabilities while the user changes$/,
      /^set process\.user\.additionalGids$/,
      /^set process\.user\.gid$/,
      /^set process\.user\.uid$/,
      /^stop keeping capabilities$/,
      /^set process\.capabilities \(effective, permitted, inheritable\)$/,
      /^clear the ambient set$/,
      /^raise CAP_KILL of process\.capabilities\.ambient$/,
      /^execute process\.args$/,
    )
  })

  test('leave the bounding set what it names, of all that the kernel knows', () => {
    const dropped = steps.filter(({ what }) => /^drop .* from the bounding set$/.test(what))
    expect(dropped).toHaveLength(41 - 2)
    expect(dropped.map(({ what }) => what)).not.toContain('drop CAP_KILL from the bounding set')
  })

  test('are the sets that capset(2) takes', () => {
    expect(calls(steps, /^set process\.capabilities/)).toEqual([
      'capset({_LINUX_CAPABILITY_VERSION_3, 0}, {effective=21, permitted=21, inheritable=20})',
    ])
  })

  test('are ambient as far as they are permitted and inheritable', () => {
    expect(steps.filter(({ what }) => /^raise /.test(what))).toHaveLength(1)
  })

  test('are none without the field', () => {
    const { capabilities: _, ...process } = specWith().process
    const none = stepsOf({ ...specWith(), process })
    expect(none.filter(({ what }) => /^drop .* from the bounding set$/.test(what))).toHaveLength(41)
    expect(calls(none, /^set process\.capabilities/)).toEqual([
      'capset({_LINUX_CAPABILITY_VERSION_3, 0}, {effective=0, permitted=0, inheritable=0})',
    ])
  })

  test('have CAP_SYS_ADMIN until execve for a filter without no_new_privs, in no set that stays', () => {
    const linux = { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } } as const
    const filtered = stepsOf(specWith({ linux, process: { noNewPrivileges: false, capabilities: {} } }))
    expect(calls(filtered, /^set process\.capabilities/)).toEqual([
      'capset({_LINUX_CAPABILITY_VERSION_3, 0}, {effective=200000, permitted=200000, inheritable=0})',
    ])
    expectOrder(filtered, /^set process\.capabilities/, /^load linux\.seccomp$/, /^execute process\.args$/)
    const drop = at(filtered, /^drop CAP_SYS_ADMIN from the bounding set$/)
    expect(drop).toBeLessThan(at(filtered, /^set process\.capabilities/))
  })
})

describe('process.rlimits', () => {
  test('are set while the process is privileged, but for open files, which it needs for itself', () => {
    const rlimits = [
      { type: 'RLIMIT_CORE', soft: 0, hard: 1 },
      { type: 'RLIMIT_NOFILE', soft: 5, hard: 6 },
    ] as const
    const steps = withProcess({ rlimits })
    expectOrder(steps, /^set RLIMIT_CORE of process\.rlimits$/, /^set process\.user\.uid$/)
    expect(calls(steps, /^set RLIMIT_CORE/)).toEqual(['prlimit64(0, 4, {soft=0, hard=1}, 0)'])
    expect(calls(steps, /^set RLIMIT_NOFILE/).at(-1)).toBe('prlimit64(0, 7, {soft=5, hard=6}, 0)')
    const files = steps.findLast(({ what }) => /^set RLIMIT_NOFILE/.test(what))
    expect(files?.step).toBeGreaterThan(at(steps, /^set process\.user\.uid$/))
  })
})

describe('linux.resources', () => {
  type Present = Readonly<Record<string, string>>
  const writes = (resources: Resources, layout: CgroupLayout = v2, present: Present = {}): string[] => {
    const inputs = inputsOf({ spec: specWith({ linux: { resources } }), layout })
    const read = (_: unknown, file: string): string | undefined => present[file]
    return planAll({ ...inputs, present: { layout, read } })
      .resources.writes.filter(({ file }) => !file.startsWith('devices.'))
      .map(({ file, value }) => `${file} <- ${value}`)
  }

  test('memory of v2: swap is what is left of both together', () => {
    expect(writes({ memory: { limit: 100, swap: 150 } })).toEqual(['memory.swap.max <- 50', 'memory.max <- 100'])
  })

  test('memory of v2: -1 is no limit', () => {
    expect(writes({ memory: { limit: -1, swap: -1 } })).toEqual(['memory.swap.max <- max', 'memory.max <- max'])
  })

  test('memory of v1: a limit of both that grows comes first, as it may not lie below that of memory', () => {
    const memory = { limit: 100, swap: 150 }
    const [own, both] = ['memory.limit_in_bytes <- 100', 'memory.memsw.limit_in_bytes <- 150']
    const present = { 'memory.limit_in_bytes': '50', 'memory.memsw.limit_in_bytes': '60' }
    expect(writes({ memory }, v1)).toEqual([own, both])
    expect(writes({ memory }, v1, present)).toEqual([both, own])
  })

  test.each([
    ['pids', { pids: { limit: 7 } }, ['pids.max <- 7'], ['pids.max <- 7']],
    ['pids without a limit', { pids: { limit: -1 } }, ['pids.max <- max'], ['pids.max <- max']],
    [
      'the quota of CPUs',
      { cpu: { quota: 50_000, period: 100_000 } },
      ['cpu.max <- 50000 100000'],
      ['cpu.cfs_period_us <- 100000', 'cpu.cfs_quota_us <- 50000'],
    ],
    [
      'huge pages, those that are only reserved too',
      { hugepageLimits: [{ pageSize: '2MB', limit: 9 }] },
      ['hugetlb.2MB.max <- 9', 'hugetlb.2MB.rsvd.max <- 9'],
      ['hugetlb.2MB.limit_in_bytes <- 9', 'hugetlb.2MB.rsvd.limit_in_bytes <- 9'],
    ],
  ] satisfies [string, Resources, string[], string[]][])('%s', (_, resources, onV2, onV1) => {
    expect(writes(resources)).toEqual(onV2)
    expect(writes(resources, v1)).toEqual(onV1)
  })
})
