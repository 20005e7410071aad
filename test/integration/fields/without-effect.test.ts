/** What the kernel or the other runtimes have no use for is accepted, as they accept it, and the rest has its effect. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { parseProbe } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'
import { isRunc } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

requires('root')
const t = useContainers()

/** runc says nothing of most of them. */
function expectWarning(stderr: string, text: string): void {
  if (!isRunc) expect(stderr).toBe(`warning: ${text}\n`)
}

const twice = [
  { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
  { type: 'RLIMIT_CORE', soft: 7, hard: 8 },
  { type: 'RLIMIT_NOFILE', soft: 50, hard: 60 },
]

describe('process.rlimits', () => {
  it('of a type that is listed again the last one counts', async () => {
    const result = await t.run({ args: ['/probe'], process: { rlimits: twice } })
    expect(parseProbe(result.stdout).rlimits).toMatchObject({
      RLIMIT_NOFILE: ['50', '60'],
      RLIMIT_CORE: ['7', '8'],
    })
    expectWarning(result.stderr, 'process.rlimits: RLIMIT_NOFILE is listed again: the last one counts')
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    // runc 1.1.5 takes the first one there.
    it('the same for process.json', async () => {
      const { id } = await t.running()
      const file = join(t.hostDirectory(), 'process.json')
      const user = { uid: 0, gid: 0 }
      writeFileSync(file, JSON.stringify({ args: ['/probe'], cwd: '/', env: ['PATH=/bin'], user, rlimits: twice }))
      const result = await t.ok(['exec', '--process', file, id])
      expect(parseProbe(result.stdout).rlimits).toMatchObject({ RLIMIT_NOFILE: ['50', '60'] })
      expectWarning(result.stderr, 'process.rlimits: RLIMIT_NOFILE is listed again: the last one counts')
    })
  })
})

describe('process.scheduler.nice', () => {
  it.each([
    [{ policy: 'SCHED_IDLE', nice: 5 }, 5],
    [{ policy: 'SCHED_IDLE', nice: -25 }, 5],
  ])('%j', async (scheduler, policy) => {
    const result = await t.run({ args: ['/probe'], process: { scheduler } })
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    if (isRunc) return
    expect(parseProbe(result.stdout).scheduler.policy).toBe(policy)
    expectWarning(result.stderr, 'process.scheduler.nice: has no effect with SCHED_IDLE')
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('beside SCHED_DEADLINE', async () => {
      const times = { runtime: 2_000_000, deadline: 50_000_000, period: 100_000_000 }
      const scheduler = { policy: 'SCHED_DEADLINE', nice: 5, ...times }
      const result = await t.run({ args: ['/probe'], process: { scheduler } })
      expect(parseProbe(result.stdout).scheduler).toMatchObject({ policy: 6, ...times })
      expectWarning(result.stderr, 'process.scheduler.nice: has no effect with SCHED_DEADLINE')
    })
  })
})

describe('linux.resources', () => {
  it('of the access of a device rule r, w and m count', async () => {
    const spec = ({ linux }: Spec) => {
      linux.resources.devices = [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 10, minor: 229, access: 'ra' },
      ]
      linux.devices = [{ path: '/dev/other', type: 'c', major: 10, minor: 229 }]
    }
    const args = ['sh', '-c', ': </dev/other && echo read; : >/dev/other && echo written']
    const { stdout, stderr } = await t.run({ args, spec })
    expect(stdout).toBe('read\n')
    if (!isRunc) expect(stderr).toMatch(/^warning: linux\.resources\.devices\[1\]\.access: only .*got "ra"\n/)
  })

  it('memory.kernel is ignored with a warning', async () => {
    const result = await t.run({
      spec: ({ linux }) => Object.assign(linux.resources, { memory: { kernel: 10_000_000 } }),
    })
    expect(result.exitCode).toBe(0)
    expect(result.stderr).toMatch(/warning.*(Kernel memory settings are ignored|memory\.kernel: ignored)/)
    expectWarning(result.stderr, 'linux.resources.memory.kernel: ignored: Linux has no such limit any more')
  })

  it('memory.kernel is ignored by update, too', async () => {
    const { id } = await t.running()
    const input = '{"memory": {"kernel": 10000000}}'
    const { stderr } = await t.ok(['update', '--resources', '-', id], { input })
    expectWarning(stderr, 'linux.resources.memory.kernel: ignored: Linux has no such limit any more')
  })
})

describe('a process.user that is left out is root', () => {
  it.each<[string, object | undefined]>([
    ['all of it', undefined],
    ['both ids', {}],
    ['the uid', { gid: 0 }],
    ['the gid', { uid: 0 }],
  ])('in config.json: %s', async (_, user) => {
    const spec = ({ process }: Spec) => Object.assign(process, { user })
    expect(await t.probe({ spec })).toMatchObject({ uid: [0, 0, 0], gid: [0, 0, 0], groups: [] })
  })

  it('in config.json: one id beside another', async () => {
    const spec = ({ process }: Spec) => Object.assign(process, { user: { uid: 1000 } })
    expect(await t.probe({ spec })).toMatchObject({ uid: [1000, 1000, 1000], gid: [0, 0, 0] })
  })

  it('in process.json, and for exec in such a container', async () => {
    const spec = ({ process }: Spec) => void delete (process as Partial<Spec['process']>).user
    const { id } = await t.running({ spec })
    const file = join(t.hostDirectory(), 'process.json')
    writeFileSync(file, JSON.stringify({ args: ['/probe'], cwd: '/', env: ['PATH=/bin'] }))
    for (const flags of [
      ['--process', file, id],
      ['--user', '5', id, '/probe'],
      [id, '/probe'],
    ])
      expect(parseProbe((await t.ok(['exec', ...flags])).stdout)).toMatchObject({
        uid: flags[0] === '--user' ? [5, 5, 5] : [0, 0, 0],
        gid: [0, 0, 0],
      })
  })
})
