import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { consoleSocket } from '../../support/console-socket.ts'
import { useContainers } from '../../support/containers.ts'
import { departure, type PlannedStep, strace, Traces } from '../../support/plan-trace.ts'
import { requires } from '../../support/requires.ts'
import { type Spec, setNamespace, shareWithHost } from '../../support/spec.ts'
import { giveImage, mapIds } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime', 'x64')
const t = useContainers()

interface Plans {
  readonly launch: readonly PlannedStep[]
  readonly wait: readonly PlannedStep[]
  readonly container: readonly PlannedStep[]
}

interface Calling {
  /** Before the verb. */
  readonly global?: readonly string[]
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The system calls of create on a bundle are those that debug plan prints of it. */
async function expectSame(bundle: Bundle, { global = [], flags = [], env = {} }: Calling = {}): Promise<void> {
  const environment = { PATH: process.env['PATH'] ?? '', ...env }
  const printed = await t.ok([...global, 'debug', 'plan', '--json', bundle.path], { env: environment })
  const plans = JSON.parse(printed.stdout) as Plans
  const traces = await trace(bundle, { global, flags, env: environment })
  const launched = plans.launch.findLast(({ call }) => call.startsWith('execve('))?.what ?? ''
  expect(departure(plans.launch, traces.launcher, launched)).toBeUndefined()
  const [waited, contained] = traces.init
  expect(departure(plans.wait, waited ?? [], 'run the plan')).toBeUndefined()
  expect(departure(plans.container, contained ?? [], 'wait for start')).toBeUndefined()
}

/** strace ends when init does: it is ended once create has written the pid file. */
async function trace(bundle: Bundle, { global, flags, env }: Required<Calling>): Promise<Traces> {
  const [id, directory] = [t.id(), t.hostDirectory('trace-')]
  const pidFile = join(t.hostDirectory('pid-'), 'pid')
  const create = [...global, 'create', ...flags, '--pid-file', pidFile, '--bundle', bundle.path, id]
  const creating = t.runtime(create, { through: strace(directory), env, timeoutMs: 50_000 })
  const failed = creating.then(({ stderr }) => stderr)
  const problem = await Promise.race([failed, waitFor(() => existsSync(pidFile), { timeoutMs: 40_000 })])
  expect(problem).toBe(true)
  await t.ok(['delete', '--force', id])
  await creating
  return new Traces(directory)
}

const hook = { path: '/bin/true' }
const device = { path: '/dev/zero-too', type: 'c', major: 1, minor: 5, fileMode: 0o666, uid: 0, gid: 0 }

/** What a container may have, and that plans differ by. */
const parts: Readonly<Record<string, (spec: Spec) => void>> = {
  'no cgroup namespace': (spec) => shareWithHost(spec, 'cgroup'),
  'no cgroup mount': (spec) => {
    spec.mounts = spec.mounts.filter(({ type }) => type !== 'cgroup')
  },
  hooks: (spec) => {
    spec.hooks = { createRuntime: [hook], createContainer: [hook], poststop: [hook] }
  },
  devices: (spec) => {
    spec.linux.devices = [device, { path: '/dev/fifo-too', type: 'p', fileMode: 0o600 }]
  },
  'masked paths': (spec) => {
    spec.linux.maskedPaths = ['/proc/kcore', '/sys/firmware', '/nothing']
    spec.linux.readonlyPaths = ['/proc/sys', '/bin']
  },
  'binds and a tmpfs': (spec) => {
    spec.mounts.push(
      { destination: '/volume', type: 'bind', source: t.hostDirectory('volume-'), options: ['rbind', 'ro'] },
      { destination: '/volume-too', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=1m'] },
    )
  },
  'a filter, sysctls and limits': (spec) => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] }
    spec.linux.sysctl = { 'net.ipv4.ip_forward': '0' }
    spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]
    spec.process.oomScoreAdj = 10
  },
  'the network of the host': (spec) => shareWithHost(spec, 'network'),
  'a time namespace': (spec) => {
    setNamespace(spec, 'time')
    spec.linux.timeOffsets = { boottime: { secs: 1000 } }
  },
  'another user': (spec) => {
    spec.process.user = { uid: 1000, gid: 1000, additionalGids: [5, 6] }
  },
}

describe('debug plan prints the system calls that create makes', () => {
  for (const [mapped, enter] of [
    ['', () => undefined],
    [' in a user namespace', mapIds],
  ] as const) {
    test(`of the example${mapped}`, async () => {
      await expectSame(await bundleOf(enter))
    })

    for (const [name, change] of Object.entries(parts))
      test(`with ${name}${mapped}`, async () => {
        await expectSame(await bundleOf(enter, change))
      })

    test(`with hooks, devices, binds and no cgroup namespace together${mapped}`, async () => {
      const together = ['hooks', 'devices', 'binds and a tmpfs', 'no cgroup namespace', 'masked paths']
      await expectSame(await bundleOf(enter, ...together.map((name) => parts[name] ?? (() => undefined))))
    })

    test(`with a terminal${mapped}`, async () => {
      const bundle = await bundleOf(enter, (spec) => {
        spec.process.terminal = true
        spec.process.consoleSize = { height: 24, width: 80 }
      })
      await expectSame(bundle, { flags: ['--console-socket', await consoleSocket(t)] })
    })

    test(`with NOTIFY_SOCKET${mapped}`, async () => {
      await expectSame(await bundleOf(enter), { env: { NOTIFY_SOCKET: '/run/nobody' } })
    })
  }

  test('without a cgroup of its own', async () => {
    await expectSame(await bundleOf(), { global: ['--cgroup-manager', 'disabled'] })
    const bundle = await bundleOf((spec) => shareWithHost(spec, 'cgroup'))
    await expectSame(bundle, { global: ['--cgroup-manager', 'disabled'] })
  })

  test('in the pid namespace of the host and a user namespace', async () => {
    const bundle = await bundleOf(mapIds, (spec) => {
      shareWithHost(spec, 'pid')
      // Nobody may make a procfs of a pid namespace that is not the user namespace's.
      spec.mounts = spec.mounts.map((mount) =>
        mount.type === 'proc' ? { ...mount, type: 'bind', source: '/proc', options: ['rbind'] } : mount,
      )
    })
    await expectSame(bundle)
  })
})

test('a plan departs from calls that differ in one', () => {
  const plan = [
    { step: 0, what: 'open', call: 'openat(200, "a", 0) = <file>' },
    { step: 1, what: 'close', call: 'close(<file>)', next: 'EBADF ignored go to 3' },
    { step: 2, what: 'not closed', call: 'umask(18)' },
    { step: 3, what: 'end', call: 'setsid()' },
  ]
  const end = { name: 'setsid', args: [], result: 7, errno: undefined }
  const open = { name: 'openat', args: ['5', '"a"', '0'], result: 9, errno: undefined }
  const calls = (...others: (typeof open)[]) => departure(plan, [open, ...others, end], 'end')
  const failed = { name: 'close', args: ['9'], result: -1, errno: 'EBADF' } as never
  expect(calls(failed)).toBeUndefined()
  expect(
    calls({ ...end, name: 'close', args: ['9'], result: 0 }, { ...end, name: 'umask', args: ['022'] }),
  ).toBeUndefined()
  expect(calls({ ...end, name: 'close', args: ['9'], result: 0 })).toMatch(/step 2, not closed: .* called setsid\(\)/)
  expect(calls({ ...end, name: 'close', args: ['8'], result: 0 })).toMatch(/step 1, close: .* called close\(8\)/)
  expect(departure(plan, [{ ...open, args: ['5', '"b"', '0'] }], 'end')).toMatch(/step 0, open/)
  expect(departure(plan, [], 'end')).toMatch(/nothing more was called/)
})

async function bundleOf(...changes: readonly ((spec: Spec) => void)[]): Promise<Bundle> {
  const bundle = await t.bundle({
    spec: (spec) => {
      for (const change of changes) change(spec)
    },
  })
  if (changes.includes(mapIds)) giveImage(bundle)
  return bundle
}
