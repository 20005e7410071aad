import { describeWithoutEffect } from '@crio-lxc/core/oci/without-effect'
import { describe, expect, it } from 'vitest'

const process = { args: ['sh'], cwd: '/', user: { uid: 0, gid: 0 } }
const core = { type: 'RLIMIT_CORE', soft: 1, hard: 1 } as const

describe('describeWithoutEffect()', () => {
  it('says nothing of what has an effect', () => {
    const rlimits = [core, { ...core, type: 'RLIMIT_CPU' as const }]
    const devices = [{ allow: true, access: 'rwm' }, { allow: true }]
    const scheduler = { policy: 'SCHED_BATCH', nice: 5 } as const
    expect(describeWithoutEffect({ ...process, rlimits, scheduler }, { devices, memory: { kernel: 0 } })).toEqual([])
    expect(describeWithoutEffect(undefined, undefined)).toEqual([])
  })

  it('has one sentence for each kind', () => {
    const devices = [{ allow: true }, { allow: true, access: 'rx' }, { allow: true, access: 'mx' }]
    const scheduler = { policy: 'SCHED_FIFO', priority: 1, nice: -1 } as const
    expect(
      describeWithoutEffect(
        { ...process, rlimits: [core, core, core], scheduler },
        { devices, memory: { kernel: -1 } },
      ),
    ).toEqual([
      'process.rlimits: RLIMIT_CORE is listed again: the last one counts',
      'process.scheduler.nice: has no effect with SCHED_FIFO',
      'linux.resources.devices[1].access: only "r", "w" and "m" have an effect, got "rx"',
      'linux.resources.memory.kernel: ignored: Linux has no such limit any more',
    ])
  })
})
