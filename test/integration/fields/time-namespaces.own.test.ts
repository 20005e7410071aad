import { execFileSync, spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { HookRecorder } from '../../support/hook-recorder.ts'
import { type ProbeReport, parseProbe } from '../../support/probe.ts'
import { childrenOf, namespaceOf } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { messageOf, type Result } from '../../support/runtime.ts'
import { type Linux, type Spec, setNamespace } from '../../support/spec.ts'
import { waitFor } from '../../support/wait-for.ts'

// Debian's runc 1.1.5 has no time namespaces, and its crun 1.8.1 fails to make one on Linux 6.18.
requires('root', 'own-runtime')
const t = useContainers()

type Offsets = NonNullable<Linux['timeOffsets']>

const SECOND = 1_000_000_000n

const withOffsets =
  (timeOffsets?: Offsets) =>
  (spec: Spec): void => {
    setNamespace(spec, 'time')
    if (timeOffsets) spec.linux.timeOffsets = timeOffsets
  }

/** The lines of /proc/PID/timens_offsets: clock, seconds, nanoseconds. */
function offsetsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+) +(-?\d+) +(\d+)$/gm)].map(([, clock, s, ns]) => [clock, `${s} ${ns}`]),
  )
}

/** How far the clocks of a probe that has just run are from this process's, within what a test may take. */
function distances({ clocks }: ProbeReport): { monotonic: bigint; boottime: bigint } {
  const monotonic = process.hrtime.bigint()
  const [uptime = ''] = t.read('/proc/uptime').split(' ')
  const boottime = BigInt(uptime.replace('.', '')) * (SECOND / 100n)
  return { monotonic: BigInt(clocks.monotonic) - monotonic, boottime: BigInt(clocks.boottime) - boottime }
}

/** What /probe --then-wait prints: it may still be on its way when start has returned. */
async function reportOf({ output }: Result): Promise<ProbeReport> {
  await waitFor(() => output().endsWith('}\n'), { what: 'the report of the probe' })
  return parseProbe(output())
}

function expectAbout(distance: bigint, nanoseconds: bigint): void {
  expect(distance).toBeLessThan(nanoseconds + SECOND)
  expect(distance).toBeGreaterThan(nanoseconds - 30n * SECOND)
}

describe('a new time namespace', () => {
  it("is the container's own, with the clocks of the host", async () => {
    const { pid } = await t.running({ spec: withOffsets() })
    for (const kind of ['time', 'time_for_children']) {
      expect(namespaceOf(pid, kind)).not.toBe(namespaceOf('self', kind))
      expect(namespaceOf(pid, kind)).toBe(namespaceOf(pid, 'time'))
    }
    expect(offsetsIn(t.read(`/proc/${pid}/timens_offsets`))).toEqual({ monotonic: '0 0', boottime: '0 0' })
  })

  it.each<[string, Offsets, Record<string, string>]>([
    ['seconds', { boottime: { secs: 86_400 } }, { monotonic: '0 0', boottime: '86400 0' }],
    ['nanoseconds', { monotonic: { nanosecs: 999_999_999 } }, { monotonic: '0 999999999', boottime: '0 0' }],
    [
      'both, of both clocks',
      { monotonic: { secs: 1_000_000_000, nanosecs: 1 }, boottime: { secs: 2_000_000_000, nanosecs: 123_456_789 } },
      { monotonic: '1000000000 1', boottime: '2000000000 123456789' },
    ],
    [
      'below zero, and nanoseconds above that',
      { monotonic: { secs: -2, nanosecs: 250_000_000 }, boottime: { secs: -5 } },
      { monotonic: '-2 250000000', boottime: '-5 0' },
    ],
  ])('has exactly the linux.timeOffsets: %s', async (_name, timeOffsets, expected) => {
    const { result, id } = await t.running({ args: ['/probe', '--then-wait'], spec: withOffsets(timeOffsets) })
    const { stdout } = await t.ok(['exec', id, '/bin/cat', '/proc/self/timens_offsets'])
    expect(offsetsIn(stdout)).toEqual(expected)
    const inside = [await reportOf(result), parseProbe((await t.ok(['exec', id, '/probe'])).stdout)]
    for (const clock of ['monotonic', 'boottime'] as const) {
      const { secs = 0, nanosecs = 0 } = timeOffsets[clock] ?? {}
      for (const report of inside) expectAbout(distances(report)[clock], BigInt(secs) * SECOND + BigInt(nanosecs))
    }
  })

  it('counts for /proc/uptime, for the program and for what it starts', async () => {
    const { stdout } = await t.run({
      args: ['sh', '-c', 'read uptime rest < /proc/uptime; echo $uptime; cat /proc/uptime'],
      spec: withOffsets({ boottime: { secs: 1_000_000 } }),
    })
    for (const line of stdout.trim().split('\n')) expect(Number.parseFloat(line)).toBeGreaterThan(1_000_000)
  })

  it('is entered by exec and by the hooks of the container', async () => {
    const recorder = new HookRecorder(t.hostDirectory())
    const hook = (name: string) => recorder.shell(`readlink /proc/self/ns/time > ${recorder.directory}/$1`, name)
    const { id, pid } = await t.running({
      spec: (spec) => {
        withOffsets({ boottime: { secs: 1000 } })(spec)
        recorder.bind(spec)
        spec.hooks = {
          createRuntime: [hook('createRuntime')],
          createContainer: [hook('createContainer')],
          startContainer: [hook('startContainer')],
        }
      },
    })
    const own = namespaceOf(pid, 'time')
    expect((await t.ok(['exec', id, 'readlink', '/proc/self/ns/time'])).stdout).toBe(`${own}\n`)
    expect(recorder.lines('createRuntime')).toEqual([namespaceOf('self', 'time')])
    expect(recorder.lines('createContainer')).toEqual([own])
    expect(recorder.lines('startContainer')).toEqual([own])
  })

  it("is the host's when it is not listed", async () => {
    const { pid } = await t.running()
    expect(namespaceOf(pid, 'time')).toBe(namespaceOf('self', 'time'))
  })
})

/** A process in a time namespace that util-linux made; its pid. */
async function unshared(...offsets: string[]): Promise<number> {
  const child = spawn('unshare', ['--time', ...offsets, '--fork', 'sleep', '1000'], { stdio: 'ignore' })
  t.defer(() => void child.kill('SIGKILL'))
  const pid = await waitFor(() => childrenOf(child.pid ?? 0).find((pid) => t.read(`/proc/${pid}/comm`) === 'sleep\n'))
  t.defer(() => void process.kill(pid, 'SIGKILL'))
  return pid
}

describe('a time namespace by path', () => {
  it('is joined, with its offsets', async () => {
    const other = await unshared('--monotonic', '5000', '--boottime', '-3')
    const { id, pid, result } = await t.running({
      args: ['/probe', '--then-wait'],
      spec: (spec) => setNamespace(spec, 'time', `/proc/${other}/ns/time`),
    })
    for (const kind of ['time', 'time_for_children']) expect(namespaceOf(pid, kind)).toBe(namespaceOf(other, 'time'))
    const distance = distances(await reportOf(result))
    expectAbout(distance.monotonic, 5000n * SECOND)
    expectAbout(distance.boottime, -3n * SECOND)
    const { stdout } = await t.ok(['exec', id, 'cat', '/proc/self/timens_offsets'])
    expect(offsetsIn(stdout)).toEqual({ monotonic: '5000 0', boottime: '-3 0' })
  })

  it("is another container's, and stays when that is deleted", async () => {
    const path = `${t.hostDirectory()}/time`
    execFileSync('touch', [path])
    const first = await t.running({ spec: withOffsets({ boottime: { secs: 7000, nanosecs: 7 } }) })
    execFileSync('mount', ['--bind', `/proc/${first.pid}/ns/time`, path])
    t.defer(() => void execFileSync('umount', [path]))
    await t.ok(['delete', '--force', first.id])
    const { stdout } = await t.run({
      args: ['cat', '/proc/self/timens_offsets'],
      spec: (spec) => setNamespace(spec, 'time', path),
    })
    expect(offsetsIn(stdout)).toEqual({ monotonic: '0 0', boottime: '7000 7' })
  })

  it("is the host's when the path leads there", async () => {
    const { pid } = await t.running({ spec: (spec) => setNamespace(spec, 'time', '/proc/self/ns/time') })
    expect(namespaceOf(pid, 'time')).toBe(namespaceOf('self', 'time'))
  })
})

describe('linux.timeOffsets that cannot be had', () => {
  it.each<[string, unknown, string]>([
    [
      'that stop the clock before the machine started',
      { monotonic: { secs: -1_000_000_000, nanosecs: 5 } },
      'set linux.timeOffsets.monotonic to -1000000000 s and 5 ns: ',
    ],
    [
      'beyond what the kernel counts',
      { monotonic: { secs: 1 }, boottime: { secs: 'MAX' } },
      'set linux.timeOffsets.boottime to 9223372036854775807 s and 0 ns: ',
    ],
  ])('are an error that names them: %s', async (_name, timeOffsets, message) => {
    const bundle = await t.bundle()
    const config = JSON.stringify({
      ...bundle.spec,
      linux: { ...bundle.spec.linux, namespaces: [...bundle.spec.linux.namespaces, { type: 'time' }], timeOffsets },
    })
    bundle.writeConfig(config.replace('"MAX"', '9223372036854775807'))
    const result = await t.run(bundle)
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain(message)
    expect(messageOf(result)).toContain('numerical result out of range')
    t.expectNothingLeft()
  })
})
