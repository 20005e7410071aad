import { x64 } from '@crio-lxc/core/abi/arch'
import { Struct } from '@crio-lxc/core/abi/bytes'
import { GroupTimes, parseTimes, TIMES_BYTES } from '@crio-lxc/core/plan/group-times'
import { Bytes, Plan, planTag, type Slot } from '@crio-lxc/core/plan/plan'
import {
  listenerRecord,
  type PlanRecord,
  parseRecord,
  pidRecord,
  planReportReady,
  planReportWaiting,
  RECORD_BYTES,
} from '@crio-lxc/core/plan/record'
import { expect, test } from 'vitest'

/** What the last step of the plan writes, once a step has put `value` into `slot`. */
function written(plan: Plan, [slot, value]: readonly [Slot?, number?] = []): Struct {
  const [, record, length] = plan.steps.at(-1)?.args ?? []
  if (!(record instanceof Bytes) || typeof length !== 'number') throw new Error('it writes no record')
  const data = new Struct(plan.data)
  if (slot) data.set64(slot.offset, value ?? 0)
  return new Struct(data.subarray(record.offset, record.offset + length))
}

test.each<[PlanRecord, (plan: Plan) => readonly [Slot, number] | undefined]>([
  [{ kind: 'ready' }, (plan) => void planReportReady(plan, 'say so', 7)],
  [{ kind: 'waiting' }, (plan) => void planReportWaiting(plan, 'say so', 7)],
  [{ kind: 'forked', pid: 4711 }, (plan) => reported(plan, pidRecord(plan), 4711)],
  [{ kind: 'listener', listener: 9 }, (plan) => reported(plan, listenerRecord(plan), 9)],
])('%j is read as it was written', (record, write) => {
  const plan = new Plan(planTag.exec, x64)
  const bytes = written(plan, write(plan))
  expect(bytes).toHaveLength(RECORD_BYTES)
  expect(parseRecord(bytes, bytes.length, 'it')).toEqual(record)
})

function reported(plan: Plan, { record, value }: ReturnType<typeof pidRecord>, number: number): [Slot, number] {
  plan.step('say so', 'write', [7, record, record.length])
  return [value, number]
}

test('the times of groups follow their record', () => {
  const plan = new Plan(planTag.container, x64)
  const times = new GroupTimes(plan)
  times.group('mounts')
  times.group('pivot')
  const [, noted] = plan.steps.map(({ args }) => args[1] as Bytes)
  times.report(7)
  const bytes = written(plan)
  expect(parseRecord(bytes, bytes.length, 'it')).toEqual({ kind: 'times', tag: planTag.container })
  expect(bytes).toHaveLength(RECORD_BYTES + TIMES_BYTES)

  const [, record] = (plan.steps.at(-1)?.args ?? []) as [number, Bytes]
  const at = (noted?.offset ?? 0) - record.offset - RECORD_BYTES
  const rest = new Struct(TIMES_BYTES).set64(at, 12).set64(at + 8, 3_500_000)
  expect(parseTimes(times, rest)).toEqual([
    { name: 'mounts', ms: 0 },
    { name: 'pivot', ms: 12_003.5 },
  ])
})

test('what the executor writes of a failure is its plan, its step and its errno', () => {
  const record = new Struct(RECORD_BYTES).set32(0, planTag.hook).set32(4, 3).set32(8, 13)
  expect(parseRecord(record, RECORD_BYTES, 'it')).toEqual({ kind: 'failure', tag: planTag.hook, step: 3, errno: 13 })
})

test('nothing is the end, and a part of a record is forged', () => {
  const record = new Struct(RECORD_BYTES)
  expect(parseRecord(record, 0, 'wait')).toBe(undefined)
  expect(() => parseRecord(record, 8, 'wait')).toThrow("wait: the report is not one of the plan's: it is forged")
})
