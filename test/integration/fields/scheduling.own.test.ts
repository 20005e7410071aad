import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { type ProbeReport, parseProbe } from '../../support/probe.ts'
import { realtimeCgroup } from '../../support/realtime-cgroup.ts'
import { requires } from '../../support/requires.ts'
import type { Process, Spec } from '../../support/spec.ts'

// runc 1.1 ignores these fields: they came with runtime-spec 1.1 to 1.3.
requires('root', 'own-runtime')
const t = useContainers()

const failing = async (process: Partial<Process>): Promise<string> => {
  const result = await t.run({ process })
  expect(result.exitCode).toBe(1)
  t.expectNothingLeft()
  return result.stderr
}

const linux =
  (field: 'personality' | 'memoryPolicy', value: never) =>
  (spec: Spec): void => {
    spec.linux[field] = value
  }

/** /probe in a running container, by a process.json that is the container's process with changes. */
async function probeByExec(container: { id: string; bundle: { spec: Spec; path: string } }, process: Partial<Process>) {
  const file = `${container.bundle.path}/process.json`
  writeFileSync(file, JSON.stringify({ ...container.bundle.spec.process, args: ['/probe'], ...process }))
  return parseProbe((await t.ok(['exec', '--process', file, container.id])).stdout)
}

describe('process.scheduler', () => {
  it.each([
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
      { policy: 'SCHED_FIFO', priority: 42, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
      { policy: 1, priority: 42, flags: 1 },
    ],
    [
      { policy: 'SCHED_RR', priority: 1 },
      { policy: 2, priority: 1 },
    ],
    [
      { policy: 'SCHED_DEADLINE', runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 },
      { policy: 6, runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 },
    ],
  ])('%j', async (scheduler, expected) => {
    const cgroupsPath = realtimeCgroup(t)
    const report = await t.probe({
      process: { scheduler },
      spec: (spec) => {
        spec.linux.cgroupsPath = cgroupsPath
      },
    })
    expect(report.scheduler).toMatchObject(expected)
  })

  it('is there for exec too', async () => {
    const container = await t.running()
    const { scheduler } = await probeByExec(container, { scheduler: { policy: 'SCHED_BATCH', nice: 11 } })
    expect(scheduler).toMatchObject({ policy: 3, nice: 11 })
  })

  it.each([
    [{ policy: 'SCHED_FIFO' }, 'process.scheduler.priority'],
    [{ policy: 'SCHED_OTHER', nice: 20 }, 'process.scheduler.nice'],
    [{ policy: 'SCHED_BATCH', priority: 1 }, 'process.scheduler.priority'],
    [{ policy: 'SCHED_FIFO', priority: 1, deadline: 1 }, 'process.scheduler.deadline'],
    [{ policy: 'SCHED_ISO' }, 'process.scheduler.policy: not supported (Linux has no such policy)'],
    [{ policy: 'SCHED_DEADLINE', runtime: 2, deadline: 1 }, 'set process.scheduler'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_UTIL_CLAMP_MIN'] }, 'set process.scheduler'],
    [{ policy: 'SCHED_LUCK' }, 'process.scheduler.policy'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_LUCK'] }, 'process.scheduler.flags[0]'],
  ])('%j is refused by the name of the field', async (scheduler, field) => {
    expect(await failing({ scheduler })).toContain(field)
  })
})

describe('the CPUs of the caller', () => {
  const through = ['taskset', '--cpu-list', '0']

  it('are no limit of the container, nor of exec', async () => {
    const all = (await t.probe()).cpus
    expect((await t.probe({}, { through })).cpus).toEqual(all)
    const { id } = await t.running({}, { through })
    expect(parseProbe((await t.ok(['exec', id, '/probe'], { through })).stdout).cpus).toEqual(all)
  })

  it('are no limit of a container that has a cpuset of its own', async () => {
    const last = cpus().length - 1
    const spec = ({ linux: { resources } }: Spec) => Object.assign(resources, { cpu: { cpus: `${last}` } })
    expect((await t.probe({ spec }, { through })).cpus).toEqual([last])
  })
})

describe('process.ioPriority', () => {
  it.each([
    [
      { class: 'IOPRIO_CLASS_BE', priority: 6 },
      { class: 2, priority: 6 },
    ],
    [
      { class: 'IOPRIO_CLASS_RT', priority: 3 },
      { class: 1, priority: 3 },
    ],
    [{ class: 'IOPRIO_CLASS_IDLE' }, { class: 3, priority: 0 }],
  ])('%j', async (ioPriority, expected) => {
    expect((await t.probe({ process: { ioPriority } })).ioPriority).toEqual(expected)
  })

  it('is there for exec too', async () => {
    const container = await t.running()
    const report = await probeByExec(container, { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 } })
    expect(report.ioPriority).toEqual({ class: 2, priority: 1 })
  })

  it.each([
    [{ class: 'IOPRIO_CLASS_BE', priority: 8 }, 'process.ioPriority.priority'],
    [{ class: 'IOPRIO_CLASS_BE', priority: -1 }, 'process.ioPriority.priority'],
    [{ class: 'IOPRIO_CLASS_NONE' }, 'process.ioPriority.class'],
  ])('%j is refused by the name of the field', async (ioPriority, field) => {
    expect(await failing({ ioPriority })).toContain(field)
  })
})

describe('process.execCPUAffinity', () => {
  it('leaves the process of the container alone', async () => {
    const all = (await t.probe()).cpus
    expect(all.length).toBeGreaterThan(1)
    expect((await t.probe({ process: { execCPUAffinity: { initial: '0', final: '0' } } })).cpus).toEqual(all)
  })

  it("final is where a process of exec runs, initial alone gives way to the container's CPUs", async () => {
    const container = await t.running()
    const { cpus: all } = await probeByExec(container, {})
    expect((await probeByExec(container, { execCPUAffinity: { initial: '0', final: '1' } })).cpus).toEqual([1])
    expect((await probeByExec(container, { execCPUAffinity: { final: '0' } })).cpus).toEqual([0])
    expect((await probeByExec(container, { execCPUAffinity: { initial: '0' } })).cpus).toEqual(all)
  })

  it("is the container's for an exec by flags", async () => {
    const container = await t.running({
      args: ['sleep', '1000'],
      process: { execCPUAffinity: { initial: '0-1', final: '1' } },
    })
    expect(parseProbe((await t.ok(['exec', container.id, '/probe'])).stdout).cpus).toEqual([1])
  })

  it.each([
    [{ initial: '1-0' }, 'process.execCPUAffinity.initial'],
    [{ final: '0,x' }, 'process.execCPUAffinity.final'],
    [{ final: '8192' }, 'process.execCPUAffinity.final'],
  ])('%j is refused by the name of the field', async (execCPUAffinity, field) => {
    expect(await failing({ execCPUAffinity })).toContain(field)
  })

  it('CPUs that the machine lacks are refused by exec', async () => {
    const container = await t.running()
    const file = `${container.bundle.path}/process.json`
    const { process } = container.bundle.spec
    writeFileSync(file, JSON.stringify({ ...process, args: ['true'], execCPUAffinity: { final: '8000' } }))
    const result = await t.runtime(['exec', '--process', file, container.id])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toContain('process.execCPUAffinity.final')
  })
})

describe('linux.personality', () => {
  const machine = (report: ProbeReport) => [report.personality, report.machine]

  it('LINUX32 shows a 32-bit machine, LINUX the own one; exec has the same', async () => {
    const [, own] = machine(await t.probe())
    const container = await t.running({ spec: linux('personality', { domain: 'LINUX32' } as never) })
    const inside = parseProbe((await t.ok(['exec', container.id, '/probe'])).stdout)
    expect(inside.personality).toBe(8)
    expect(inside.machine).not.toBe(own)
    expect(
      (await t.run({ args: ['uname', '-m'], spec: linux('personality', { domain: 'LINUX32' } as never) })).stdout,
    ).toBe(`${inside.machine}\n`)
    expect(machine(await t.probe({ spec: linux('personality', { domain: 'LINUX' } as never) }))).toEqual([0, own])
  })

  it('flags and other domains are refused by name', async () => {
    const flags = await t.run({
      spec: linux('personality', { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] } as never),
    })
    expect(flags.stderr).toContain('linux.personality.flags')
    const domain = await t.run({ spec: linux('personality', { domain: 'HPUX' } as never) })
    expect(domain.stderr).toContain('linux.personality.domain')
    t.expectNothingLeft()
  })
})

describe('linux.memoryPolicy', () => {
  it.each([
    [
      { mode: 'MPOL_INTERLEAVE', nodes: '0' },
      { mode: 3, nodes: 1 },
    ],
    [
      { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] },
      { mode: 2 | (1 << 15), nodes: 1 },
    ],
    [
      { mode: 'MPOL_PREFERRED', nodes: '0', flags: ['MPOL_F_RELATIVE_NODES'] },
      { mode: 1 | (1 << 14), nodes: 1 },
    ],
    [
      { mode: 'MPOL_PREFERRED_MANY', nodes: '0' },
      { mode: 5, nodes: 1 },
    ],
    [{ mode: 'MPOL_LOCAL' }, { mode: 4, nodes: 0 }],
    [{ mode: 'MPOL_DEFAULT' }, { mode: 0, nodes: 0 }],
    [{}, { mode: 0, nodes: 0 }],
    [{ mode: '' }, { mode: 0, nodes: 0 }],
  ])('%j', async (memoryPolicy, expected) => {
    expect((await t.probe({ spec: linux('memoryPolicy', memoryPolicy as never) })).memoryPolicy).toEqual(expected)
  })

  it('is there for exec too', async () => {
    const container = await t.running({ spec: linux('memoryPolicy', { mode: 'MPOL_INTERLEAVE', nodes: '0' } as never) })
    const inside = parseProbe((await t.ok(['exec', container.id, '/probe'])).stdout)
    expect(inside.memoryPolicy).toEqual({ mode: 3, nodes: 1 })
  })

  it.each([
    [{ mode: 'MPOL_BIND' }, 'set linux.memoryPolicy'],
    [{ mode: 'MPOL_BIND', nodes: '1000' }, 'set linux.memoryPolicy'],
    [{ mode: 'MPOL_BIND', nodes: 'all' }, 'linux.memoryPolicy.nodes'],
    [{ mode: 'MPOL_LUCK' }, 'linux.memoryPolicy.mode'],
    [{ nodes: '0' }, 'linux.memoryPolicy.mode'],
    [{ mode: '', flags: ['MPOL_F_STATIC_NODES'] }, 'linux.memoryPolicy.mode'],
  ])('%j is refused by the name of the field', async (memoryPolicy, field) => {
    const result = await t.run({ spec: linux('memoryPolicy', memoryPolicy as never) })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain(field)
    t.expectNothingLeft()
  })
})

describe('process.apparmorProfile and selinuxLabel', () => {
  it.each([
    ['apparmorProfile', 'AppArmor'],
    ['selinuxLabel', 'SELinux'],
  ])('%s is refused on a host without %s', async (field, feature) => {
    expect(await failing({ [field]: 'x' })).toMatch(new RegExp(`process\\.${field}: this host has no ${feature}: `))
  })

  it('a gate that is off ignores the profile', async () => {
    const bundle = await t.bundle({ process: { apparmorProfile: 'x' } })
    await t.ok(['--apparmor=false', 'run', '--bundle', bundle.path, t.id()])
  })
})
