/** A process that has forked and ended, while its child has not yet said its pid, is not dead (core/process/executor-process.ts). */
import { closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { archOf, x64 } from '@crio-lxc/core/abi/arch'
import { CLONE_PARENT, SIGCHLD } from '@crio-lxc/core/abi/constants'
import { compile } from '@crio-lxc/core/plan/compile'
import { Label, Plan, planTag } from '@crio-lxc/core/plan/plan'
import { pidRecord } from '@crio-lxc/core/plan/structs'
import { ExecutorProcess } from '@crio-lxc/core/process/executor-process'
import { readRecord } from '@crio-lxc/core/process/plan-record'
import { ownChildren } from '@crio-lxc/core/process/proc'
import { pipe } from '@crio-lxc/core/sys/fd'
import { sealedFile } from '@crio-lxc/core/sys/memfd'
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
  const { record, pid } = pidRecord(plan)
  plan.step('find the own pid', 'getpid', [], { result: pid })
  plan.step('report the pid', 'write', [report, record, record.length])
  plan.step('wait for ever', 'read', [gate, byte, 1])
  plan.place(end)
  return plan
}

function begin(): { executor: ExecutorProcess; report: number; letGo: () => void } {
  const [[report, reportWrite], [gate, gateWrite]] = [pipe(), pipe()]
  const plan = sealedFile('plan', compile(forkingPlan(reportWrite, gate), reportWrite))
  const path = join(runtimePath, '../../libexec/crio-lxc/crio-lxc-init')
  const executor = new ExecutorProcess({ path, plan, fds: [reportWrite, gate], forks: 1 })
  for (const fd of [plan, reportWrite, gate]) closeSync(fd)
  t.defer(() => {
    for (const fd of [report, gateWrite]) closeSync(fd)
    if (processStat(executor.pid)?.ppid === process.pid) executor.end()
  })
  return { executor, report, letGo: () => void writeSync(gateWrite, 'g') }
}

const watched = (executor: ExecutorProcess) => ({
  timeoutMs: 20_000,
  what: 'wait for it',
  watch: () => (executor.hasEnded() ? (new Error('it was taken for dead') as never) : undefined),
})

describe('a process that has forked, and ended', () => {
  it('goes on as its child, however long that takes to say so', async () => {
    const { executor, report, letGo } = begin()
    const first = executor.pid
    await waitFor(() => processStat(first)?.state === 'Z', { what: 'the first process to end' })
    expect(executor.hasEnded()).toBe(false)
    letGo()
    const record = readRecord(report, watched(executor))
    if (record.kind !== 'forked') throw new Error(record.kind)
    executor.follow(record.pid, 'wait for it')
    expect(executor).toMatchObject({ pid: record.pid, hasArrived: true })
    expect(record.pid).not.toBe(first)
  })

  it('is dead when its child is', async () => {
    const { executor, report, letGo } = begin()
    letGo()
    const record = readRecord(report, watched(executor))
    if (record.kind !== 'forked') throw new Error(record.kind)
    executor.follow(record.pid, 'wait for it')
    executor.signal(9)
    await waitFor(() => executor.hasEnded(), { what: 'its end' })
    expect(isAlive(record.pid)).toBe(false)
  })

  it('is ended with a child that has not been reported', async () => {
    const before = ownChildren()
    const { executor } = begin()
    await waitFor(() => processStat(executor.pid)?.state === 'Z', { what: 'the first process to end' })
    expect(ownChildren().length).toBe(before.length + 2)
    executor.end()
    expect(ownChildren()).toEqual(before)
  })

  it('is no process that the kernel does not call its child', () => {
    const { executor } = begin()
    for (const pid of [1, process.pid, executor.pid])
      expect(() => executor.follow(pid, 'wait for it')).toThrow('forged')
  })
})
