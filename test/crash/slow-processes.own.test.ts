/** A process that has forked and ended, while its child has not yet said its pid, is not dead (core/host/process/executor-process.ts). */
import { closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { archOf, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_PARENT, SIGCHLD } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { ExecutorProcess } from '@crio-lxc/core/host/process/executor-process'
import { ownChildren } from '@crio-lxc/core/host/process/proc'
import type { Fork } from '@crio-lxc/core/plan/join-cgroup'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import { type PlanRecord, pidRecord, planReport } from '@crio-lxc/core/plan/record'
import { dupAbove, pipe } from '@crio-lxc/core/sys/fd'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { isAlive, processStat } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { runtimePath } from '../support/runtime.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** What planJoinCgroup does, but the child waits for a byte before it reports. */
function forkingPlan(report: number, gate: number): Plan {
  const plan = new Plan(planTag.launch, archOf(process.arch) ?? x64)
  const end = new Label()
  const byte = plan.struct(
    8,
    () => '[]',
    () => undefined,
  )
  plan.step('fork', 'clone', [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], { onOk: end, onOkIfNonZero: true })
  plan.step('wait', 'read', [gate, byte, 1])
  const { record, value: pid } = pidRecord(plan)
  plan.step('find the own pid', 'getpid', [], { result: pid })
  planReport(plan, 'report the pid', report, record)
  plan.step('wait for ever', 'read', [gate, byte, 1])
  plan.place(end)
  return plan
}

interface Begun {
  readonly executor: ExecutorProcess
  readonly letGo: () => void
  /** Says in its name that it goes on as `pid`. */
  readonly forge: (pid: number) => void
}

function begin(fork: Fork = 'told by the child'): Begun {
  const [gate, gateWrite] = pipe()
  const init = join(runtimePath, '../../libexec/crio-lxc/crio-lxc-init')
  let reportWrite = -1
  const executor = ExecutorProcess.launch({ executor: init, forks: [fork] }, (report) => {
    reportWrite = dupAbove(report, 10)
    return { plan: forkingPlan(report, gate), fds: [gate] }
  })
  closeSync(gate)
  t.defer(() => {
    executor.close()
    for (const fd of [reportWrite, gateWrite]) closeSync(fd)
    if (processStat(executor.pid)?.ppid === process.pid) executor.end()
  })
  return {
    executor,
    letGo: () => void writeSync(gateWrite, 'g'),
    forge: (pid) => void writeSync(reportWrite, new Uint8Array(Uint32Array.of(0, 0, pid, 0).buffer)),
  }
}

/** The first record of its report, or the error of reading it. */
function reported(executor: ExecutorProcess): PlanRecord | undefined {
  const watch = (): RuntimeError | undefined =>
    executor.hasEnded() ? new RuntimeError('io', 'it was taken for dead') : undefined
  const [record] = executor.records({ timeoutMs: 20_000, what: 'wait for it', watch })
  return record
}

describe('a process that has forked, and ended', () => {
  it('goes on as its child, however long that takes to say so', async () => {
    const { executor, letGo } = begin()
    const first = executor.pid
    await waitFor(() => processStat(first)?.state === 'Z', { what: 'the first process to end' })
    expect(executor.hasEnded()).toBe(false)
    letGo()
    expect(reported(executor)).toEqual({ kind: 'forked', pid: executor.pid })
    expect(executor.hasArrived).toBe(true)
    expect(executor.pid).not.toBe(first)
  })

  it('is dead when its child is', async () => {
    const { executor, letGo } = begin()
    letGo()
    expect(reported(executor)).toMatchObject({ kind: 'forked' })
    executor.signal(9)
    await waitFor(() => executor.hasEnded(), { what: 'its end' })
    expect(isAlive(executor.pid)).toBe(false)
  })

  it('is ended with a child that has not been reported', async () => {
    const before = ownChildren()
    const { executor } = begin()
    await waitFor(() => processStat(executor.pid)?.state === 'Z', { what: 'the first process to end' })
    expect(ownChildren().length).toBe(before.length + 2)
    executor.end()
    expect(ownChildren()).toEqual(before)
  })

  it('is dead when it was to tell of its child and did not, and its child is ended with it', async () => {
    const before = ownChildren()
    const { executor } = begin('told by the parent')
    await waitFor(() => processStat(executor.pid)?.state === 'Z', { what: 'the first process to end' })
    expect(() => reported(executor)).toThrow('taken for dead')
    executor.end()
    expect(ownChildren()).toEqual(before)
  })

  it('is no process that the kernel does not call its child', () => {
    const { executor, forge } = begin()
    for (const pid of [1, process.pid, executor.pid]) {
      forge(pid)
      expect(() => reported(executor)).toThrow('forged')
    }
  })
})
