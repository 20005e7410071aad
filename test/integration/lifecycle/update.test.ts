import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cgroupOf, isV1, readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()
const MiB = 1 << 20

/** Flag and value, controller, and what its file says then on v1 and v2. */
const flags: [string[], string, { v1: [string, string]; v2: [string, string] }][] = [
  [['--memory', '64M'], 'memory', { v1: ['memory.limit_in_bytes', `${64 * MiB}`], v2: ['memory.max', `${64 * MiB}`] }],
  [
    ['--memory', '64M', '--memory-swap', '96m'],
    'memory',
    { v1: ['memory.memsw.limit_in_bytes', `${96 * MiB}`], v2: ['memory.swap.max', `${32 * MiB}`] },
  ],
  [
    ['--memory-reservation', '33554432'],
    'memory',
    { v1: ['memory.soft_limit_in_bytes', `${32 * MiB}`], v2: ['memory.low', `${32 * MiB}`] },
  ],
  [['--cpu-share', '512'], 'cpu', { v1: ['cpu.shares', '512'], v2: ['cpu.weight', '20'] }],
  [['--cpu-quota', '5000'], 'cpu', { v1: ['cpu.cfs_quota_us', '5000'], v2: ['cpu.max', '5000 100000'] }],
  [
    ['--cpu-quota', '5000', '--cpu-period=20000'],
    'cpu',
    { v1: ['cpu.cfs_period_us', '20000'], v2: ['cpu.max', '5000 20000'] },
  ],
  [['--cpuset-cpus', '0'], 'cpuset', { v1: ['cpuset.cpus', '0'], v2: ['cpuset.cpus', '0'] }],
  [['--cpuset-mems', '0'], 'cpuset', { v1: ['cpuset.mems', '0'], v2: ['cpuset.mems', '0'] }],
  [['--pids-limit', '33'], 'pids', { v1: ['pids.max', '33'], v2: ['pids.max', '33'] }],
]

it('reads the resources from a pipe', async () => {
  const { id } = await t.running()
  const through = ['sh', '-c', `echo '{"pids": {"limit": 77}}' | "$@"`, 'sh']
  await t.ok(['update', '--resources', '/dev/stdin', id], { through })
})

describe('update', () => {
  it.each(flags)('%j', async (args, controller, files) => {
    const { id, pid } = await t.running()
    const [file, value] = files[isV1(controller) ? 'v1' : 'v2']
    expect(readCgroup(pid, controller, file)).not.toBe(controller === 'cpuset' ? 'x' : value)
    expect(await t.ok(['update', ...args, id])).toMatchObject({ stdout: '', stderr: '' })
    expect(readCgroup(pid, controller, file)).toBe(value)
  })

  it('reads a file of resources, and leaves what it does not name', async () => {
    const { id, pid } = await t.running({
      spec: (spec) => {
        spec.linux.resources.pids = { limit: 55 }
      },
    })
    const file = join(t.hostDirectory(), 'resources.json')
    writeFileSync(file, JSON.stringify({ memory: { limit: 64 * MiB } }))
    await t.ok(['update', '--resources', file, id])
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${64 * MiB}`)
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('55')
  })

  it('raises and lowers memory and swap together', async () => {
    const { id, pid } = await t.running()
    for (const size of ['64M', '256M', '32M', '-1', '48M']) {
      await t.ok(['update', '--memory', size, '--memory-swap', size, id])
      const bytes = size === '-1' ? /^(9223372036854771712|max)$/ : `${Number.parseInt(size, 10) * MiB}`
      expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toMatch(bytes)
    }
  })

  describe('beyond runc, on v1', () => {
    requires('own-runtime', 'cgroup-v1')

    it('to less memory than is in use says how much that is', async () => {
      const { id } = await t.running()
      const result = await t.runtime(['update', '--memory', '1', id])
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(
        /^linux\.resources\.memory\.limit: write "1" to .*: device or resource busy: [1-9]\d+ bytes are in use: give a higher limit$/,
      )
    })

    it.each<[string[], RegExp]>([
      [
        ['--cpu-quota', '1'],
        /cpu\.quota: .*: invalid argument: give 1000 at least, and no more than the cgroups above allow$/,
      ],
      [['--cpu-period', '1'], /cpu\.period: .*: invalid argument: give 1000 to 1000000$/],
      [
        ['--memory-swap', '1M'],
        /memory\.swap: .*: invalid argument: memory is limited to 67108864 bytes: give no less$/,
      ],
      [
        ['--memory', '512M'],
        /memory\.limit: .*: invalid argument: memory and swap are limited to 134217728 bytes: raise that as well$/,
      ],
    ])('%j comes with what the kernel takes', async (args, message) => {
      const { id } = await t.running()
      await t.ok(['update', '--memory', '64M', '--memory-swap', '128M', id])
      expectOneSentence(await t.runtime(['update', ...args, id]), RegExp(message.source, 'm'))
    })
  })

  it('takes a container that is not started', async () => {
    const { id, pid } = await t.create()
    await t.ok(['update', '--pids-limit', '33', id])
    expect(readCgroup(pid, 'pids', 'pids.max')).toBe('33')
  })

  it('refuses a stopped or missing container', async () => {
    const { id } = await t.stopped()
    expect(messageOf(await t.runtime(['update', '--pids-limit', '33', id]))).toMatch(/container not running/)
    expect(messageOf(await t.runtime(['update', '--pids-limit', '33', 't-missing']))).toMatch(
      /container does not exist/,
    )
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    it('puts back what it had written when a limit is refused', async () => {
      const { id, pid } = await t.running({
        spec: (spec) => {
          spec.linux.resources.pids = { limit: 55 }
        },
      })
      const resources = { pids: { limit: 44 }, cpu: { shares: 512, cpus: '4000' } }
      const result = await t.runtime(['update', '--resources', '-', id], { input: JSON.stringify(resources) })
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(
        /^linux\.resources\.cpu\.cpus: write "4000" to \/sys\/fs\/cgroup\/.*cpuset\.cpus: [^:]+: \S+ has the CPUs [\d,-]+: name some of these$/,
      )
      expect(readCgroup(pid, 'pids', 'pids.max')).toBe('55')
      expect(readCgroup(pid, 'cpu', 'cpu.shares', 'cpu.weight')).toMatch(/^(1024|100)$/)
    })

    it.each([
      ['{"memory":', /^standard input: .*line 1/],
      ['{"memory":{"limit":"1"}}', /linux\.resources\.memory\.limit: must be an integer/],
      ['{"cpu":{"mems":"77"}}', /cpu\.mems: write "77" to .*: \S+ has the memory nodes [\d,-]+: name some of these$/],
      ['{"memory":{"swappiness":101}}', /linux\.resources\.memory\.swappiness: must be from 0 to 100/],
      ['{"network":{"classID":5}}', /linux\.resources\.network\.classID: the host has no net_cls controller/],
      ['{"rdma":{"mlx":{"hcaHandles":5}}}', /linux\.resources\.rdma\.mlx: .*(no rdma controller|rdma\.max)/],
      ['{"blockIO":{"leafWeight":100}}', /blockIO\.leafWeight: .*controller .*has no such (file|limit)/],
      ['{"unified":{"memory.nonsense":"1"}}', /unified\["?memory\.nonsense"?\]: .*(no such file|no memory controller)/],
      ['{"unified":{"cgroup.procs":"1"}}', /unified.*cgroup\.procs.*is about processes and no limit/],
      ['{"unified":{"cgroup.freeze":"1"}}', /unified.*cgroup\.freeze.*is about processes and no limit/],
      ['{"unified":{"pids.max":""}}', /unified\["?pids\.max"?\]: must be what the file is to hold, got ""$/],
      ['{"unified":{"../x":"1"}}', /unified.*must be the name of a file of cgroup v2/],
      ['{"memory":{"limit":4096,"checkBeforeUpdate":true}}', /memory\.limit: the container uses \d+ bytes, more than/],
    ])('refuses %s', async (input, message) => {
      const { id } = await t.running()
      const result = await t.runtime(['update', '--resources', '-', id], { input })
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toMatch(message)
      expect(result.stderr.trim().split('\n')).toHaveLength(1)
    })

    it('takes 0 for a limit of pids, as runc since 1.4', async () => {
      const { id, pid } = await t.running()
      await t.ok(['update', '--pids-limit', '0', id])
      expect(readCgroup(pid, 'pids', 'pids.max')).toBe('0')
      await t.ok(['update', '--pids-limit', '-1', id])
      expect(readCgroup(pid, 'pids', 'pids.max')).toBe('max')
    })

    it('refuses standard input that has no end', async () => {
      const { id } = await t.running()
      const input = Buffer.alloc(17 * 2 ** 20, ' ').toString()
      const result = await t.runtime(['update', '--resources', '-', id], { input })
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toBe('read the resources from standard input: it has more than 16777216 bytes')
    })

    it.each([
      [['--memory', 'much'], 'invalid --memory "much": want bytes such as 67108864, 64M or -1'],
      [['--cpu-quota', '1.5'], 'invalid --cpu-quota "1.5": want an integer'],
      [['--cpu-share', '-5'], 'invalid --cpu-share "-5": want a number that is not negative'],
      [
        ['--l3-cache-schema', 'L3:0=f'],
        'update --l3-cache-schema and --mem-bw-schema: the container has no resctrl group: create it with linux.intelRdt',
      ],
    ])('refuses %j', async (args, message) => {
      const { id } = await t.running()
      expect(messageOf(await t.runtime(['update', ...args, id]))).toBe(message)
    })

    it('changes device rules, and what stays allowed is never refused meanwhile', async () => {
      const { id, pid } = await t.running({
        args: ['sh', '-c', 'while : >/dev/null; do :; done; echo refused; sleep 1000'],
      })
      const rules = (minor: number) => ({
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 10, minor, access: 'rw' },
        ],
      })
      for (let round = 0; round < 10; round++)
        await t.ok(['update', '--resources', '-', id], { input: JSON.stringify(rules(200 + (round % 2))) })
      expect((await t.ok(['exec', id, 'sh', '-c', 'echo yes >/dev/null && echo written'])).stdout).toBe('written\n')
      if (isV1('devices')) {
        const list = readFileSync(`${cgroupOf(pid, 'devices')}/devices.list`, 'utf8')
        expect(list).toContain('c 10:201 rw\n')
        expect(list).not.toContain('c 10:200')
      }
      await t.ok(['kill', id, 'KILL'])
      await t.waitForStatus(id, 'stopped')
    })
  })
})
