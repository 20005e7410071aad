import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { type ProbeReport, parseProbe } from '../../support/probe.ts'
import { realtimeCgroup } from '../../support/realtime-cgroup.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'
import { type Process, type Spec, setNamespace } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'

requires('root', 'own-runtime')
const t = useContainers()
const { mapped } = mappedBundles(t)

const linux =
  (fields: object) =>
  (spec: Spec): void => {
    Object.assign(spec.linux, fields)
  }

const CAP_SYS_RESOURCE = 24n
const mayRaise =
  ((BigInt(`0x${/^CapEff:\s+(\w+)$/m.exec(t.read('/proc/self/status'))?.[1]}`) >> CAP_SYS_RESOURCE) & 1n) === 1n

/** A caller with these limits, soft and hard. */
const caller = ['prlimit', '--nofile=1024:1024', '--core=0:0', '--']

interface Row {
  readonly field: string
  readonly process?: Partial<Process>
  readonly linux?: object
  readonly found: (report: ProbeReport) => unknown
  readonly expected: unknown
  /** Of exec: a process that is forked on its way into the container has it not. */
  readonly refusedByExec?: RegExp
  /** Without CAP_SYS_RESOURCE the caller itself may not do it. */
  readonly raises?: boolean
}

const rows: Row[] = [
  {
    field: "process.rlimits above the caller's",
    process: {
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 1500, hard: 3000 },
        { type: 'RLIMIT_CORE', soft: 4096, hard: 8192 },
      ],
    },
    found: ({ rlimits }) => [rlimits.RLIMIT_NOFILE, rlimits.RLIMIT_CORE],
    expected: [
      ['1500', '3000'],
      ['4096', '8192'],
    ],
    raises: true,
  },
  {
    field: "process.oomScoreAdj below the caller's",
    process: { oomScoreAdj: -500 },
    found: ({ oomScoreAdj }) => oomScoreAdj,
    expected: '-500\n',
    raises: true,
  },
  ...([
    [
      { policy: 'SCHED_BATCH', nice: 7 },
      { policy: 3, nice: 7 },
    ],
    [
      { policy: 'SCHED_OTHER', nice: -3 },
      { policy: 0, nice: -3 },
    ],
    [{ policy: 'SCHED_IDLE' }, { policy: 5 }],
    [
      { policy: 'SCHED_RR', priority: 3 },
      { policy: 2, priority: 3 },
    ],
  ].map(([scheduler, expected]) => ({
    field: `process.scheduler ${JSON.stringify(scheduler)}`,
    process: { scheduler: scheduler as Process['scheduler'] },
    found: (report: ProbeReport) => report.scheduler,
    expected: expect.objectContaining(expected as object),
  })) as Row[]),
  {
    field: 'process.scheduler with SCHED_FLAG_RESET_ON_FORK',
    process: { scheduler: { policy: 'SCHED_FIFO', priority: 4, flags: ['SCHED_FLAG_RESET_ON_FORK'] } },
    found: ({ scheduler }) => scheduler,
    expected: expect.objectContaining({ policy: 1, priority: 4, flags: 1 }),
    refusedByExec: /set process\.scheduler: .*operation not permitted/,
  },
  {
    field: 'process.scheduler SCHED_DEADLINE',
    process: {
      scheduler: { policy: 'SCHED_DEADLINE', runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 },
    },
    found: ({ scheduler }) => scheduler,
    expected: expect.objectContaining({ policy: 6, runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 }),
    refusedByExec: /set process\.scheduler: .*operation not permitted/,
  },
  ...([
    [
      { class: 'IOPRIO_CLASS_BE', priority: 6 },
      { class: 2, priority: 6 },
    ],
    [
      { class: 'IOPRIO_CLASS_RT', priority: 3 },
      { class: 1, priority: 3 },
    ],
    [{ class: 'IOPRIO_CLASS_IDLE' }, { class: 3, priority: 0 }],
  ].map(([ioPriority, expected]) => ({
    field: `process.ioPriority ${JSON.stringify(ioPriority)}`,
    process: { ioPriority: ioPriority as Process['ioPriority'] },
    found: (report: ProbeReport) => report.ioPriority,
    expected,
  })) as Row[]),
  {
    field: 'linux.personality',
    linux: { personality: { domain: 'LINUX32' } },
    found: ({ personality }) => personality,
    expected: 8,
  },
  {
    field: 'linux.memoryPolicy',
    linux: { memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] } },
    found: ({ memoryPolicy }) => memoryPolicy,
    expected: { mode: 2 | (1 << 15), nodes: 1 },
  },
]

describe.each(rows)(
  '$field',
  ({ field, process: fields, linux: more = {}, found, expected, raises, refusedByExec }) => {
    const refused =
      raises && !mayRaise
        ? new RegExp(`(${field.split(' ')[0]}).*: (operation not permitted|permission denied)`)
        : undefined
    const user = { uid: 7, gid: 8 }

    it("is the container's", async () => {
      const spec = linux({ ...more, ...(fields?.scheduler && { cgroupsPath: realtimeCgroup(t) }) })
      const result = await t.run(await mapped({ args: ['/probe'], process: { ...fields, user }, spec }), {
        through: caller,
      })
      if (refused) expect(messageOf(result)).toMatch(refused)
      else expect(found(parseProbe(result.stdout)), result.stderr).toEqual(expected)
      if (refused) t.expectNothingLeft()
    })

    it('is there for exec', async () => {
      const spec = linux({ ...more, ...(fields?.scheduler && { cgroupsPath: realtimeCgroup(t) }) })
      const bundle = await mapped({ args: ['sleep', '1000'], process: { user }, spec })
      const { id } = await t.running(bundle, { through: caller })
      // Before its cgroup, which the test has made.
      t.defer(async () => void (await t.ok(['delete', '--force', id])))
      const file = `${bundle.path}/process.json`
      writeFileSync(file, JSON.stringify({ ...bundle.spec.process, ...fields, args: ['/probe'] }))
      const result = await t.runtime(['exec', '--process', file, id], { through: caller })
      const failure = refused ?? refusedByExec
      if (failure) expect(messageOf(result)).toMatch(failure)
      else expect(found(parseProbe(result.stdout)), result.stderr).toEqual(expected)
    })
  },
)

describe.each<[string, object, RegExp]>([
  ['linux.intelRdt', { intelRdt: { closID: 'gold' } }, /^linux\.intelRdt\.closID: this host has no resctrl/],
  [
    'linux.memoryPolicy of a node that is not there',
    { memoryPolicy: { mode: 'MPOL_BIND', nodes: '1000' } },
    /set linux\.memoryPolicy/,
  ],
  [
    'linux.timeOffsets beyond what the kernel counts',
    { timeOffsets: { monotonic: { secs: -1_000_000_000 } } },
    /set linux\.timeOffsets\.monotonic to -1000000000 s and 0 ns: .*numerical result out of range/,
  ],
])('%s', (_field, fields, message) => {
  it('is refused in a sentence that names it', async () => {
    const spec = (spec: Spec): void => {
      if ('timeOffsets' in fields) setNamespace(spec, 'time')
      linux(fields)(spec)
    }
    const result = await t.run(await mapped({ spec }))
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(message)
    t.expectNothingLeft()
  })
})
