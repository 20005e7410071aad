/** --trace: what a verb does, as spans in Chrome's trace event format. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** An event of type X or M; microseconds. */
interface Event {
  readonly name: string
  readonly cat: string
  readonly ph: 'X' | 'M'
  readonly pid: number
  readonly ts: number
  readonly dur: number
  readonly args: { readonly name: string }
}

/** The array need not end: so says the format. */
function eventsOf(file: string): Event[] {
  return JSON.parse(`${t.read(file).replace(/,\n$/, '')}]`) as Event[]
}

const spansOf = (file: string): Event[] => eventsOf(file).filter(({ ph }) => ph === 'X')
const processesOf = (file: string): string[] =>
  eventsOf(file)
    .filter(({ ph }) => ph === 'M')
    .map(({ args }) => args.name)

/** A create, its spans and its id. */
async function tracedCreate(...args: Parameters<typeof t.bundle>): Promise<{ file: string; id: string }> {
  const file = join(t.hostDirectory(), 'trace')
  const bundle = await t.bundle(...args)
  const id = t.id()
  await t.ok(['--trace', file, 'create', '--bundle', bundle.path, id])
  return { file, id }
}

/** The stretches of the verb, from the engine's start on, in which no span but that of the whole says what is done. */
function unnamed(spans: readonly Event[], verb: string): { share: number; longestMs: number } {
  const [engine, whole] = ['engine', verb].map((name) => spans.find((span) => span.cat === 'cli' && span.name === name))
  if (!engine || !whole) throw new Error(`the trace has no ${verb}`)
  const own = spans.filter((span) => span.pid === whole.pid && span !== whole).sort((a, b) => a.ts - b.ts)
  const gaps: number[] = []
  let at = engine.ts
  for (const { ts, dur } of [...own, { ts: whole.ts + whole.dur, dur: 0 }]) {
    gaps.push(Math.max(0, ts - at))
    at = Math.max(at, ts + dur)
  }
  const sum = gaps.reduce((total, gap) => total + gap, 0)
  return { share: sum / (whole.ts + whole.dur - engine.ts), longestMs: Math.max(...gaps) / 1000 }
}

describe('--trace', () => {
  it('leaves next to nothing of a create without a name, and nothing that takes a millisecond', async () => {
    const creates: ReturnType<typeof unnamed>[] = []
    for (let i = 0; i < 5; i++) creates.push(unnamed(spansOf((await tracedCreate()).file), 'create'))
    // Whoever is not on a processor between two spans is there unnamed: once of five times that does not happen.
    expect(Math.min(...creates.map(({ share }) => share))).toBeLessThan(0.15)
    expect(Math.min(...creates.map(({ longestMs }) => longestMs))).toBeLessThan(1)
  })

  it('has the phases of create, and what liblxc and init do meanwhile', async () => {
    const { file, id } = await tracedCreate()
    const { pid } = await t.state(id)
    const spans = spansOf(file)
    const names = (of: (span: Event) => boolean): string[] => spans.filter(of).map(({ name }) => name)
    const monitor = spans.find(({ name }) => name === 'crio-lxc-start and liblxc')?.pid
    const own = spans.find(({ name }) => name === 'engine')?.pid
    expect(names((span) => span.pid === own)).toEqual([
      ...['engine', 'load', 'options', 'load', 'read', 'parse and validate', 'check'],
      ...['config', 'sources', 'cgroups', 'launch', 'plan', 'wait', 'publish', 'create'],
    ])
    expect(names((span) => span.pid === monitor)).toEqual([
      'join the cgroup',
      "make the monitor's mount namespace",
      'crio-lxc-start and liblxc',
    ])
    expect(names((span) => span.pid === pid)).toEqual([
      ...['wait for the plan', 'load the plan', 'namespaces', 'mounts', 'devices'],
      ...['sysctls and paths', 'pivot', 'become the process'],
    ])
    expect(processesOf(file)).toEqual(['crio-lxc create', 'crio-lxc-init, then crio-lxc-start', `init of ${id}`])
    const whole = spans.find(({ name }) => name === 'create') as Event
    for (const { name, ts, dur } of spans.filter((span) => span.pid !== own)) {
      expect(dur, name).toBeGreaterThanOrEqual(0)
      expect(ts, name).toBeGreaterThanOrEqual(whole.ts)
      expect(ts + dur, name).toBeLessThanOrEqual(whole.ts + whole.dur)
    }
  })

  it('has one clock for all, in a time namespace too', async () => {
    const { file } = await tracedCreate({
      spec: (spec) => {
        spec.linux.namespaces.push({ type: 'time' })
        Object.assign(spec.linux, { timeOffsets: { monotonic: { secs: 1_000_000 } } })
      },
    })
    const spans = spansOf(file)
    const whole = spans.find(({ name }) => name === 'create') as Event
    for (const { name, ts, dur } of spans.filter(({ cat }) => cat === 'create')) {
      expect(ts, name).toBeGreaterThanOrEqual(whole.ts)
      expect(ts + dur, name).toBeLessThanOrEqual(whole.ts + whole.dur)
    }
  })

  it('takes a whole life with its hooks in one file', async () => {
    const hook = { path: '/bin/true' }
    const { file, id } = await tracedCreate({
      args: ['sleep', '1000'],
      spec: (spec) => {
        spec.hooks = { createRuntime: [hook, hook], poststart: [hook], poststop: [hook] }
      },
    })
    const trace = ['--trace', file]
    await t.ok([...trace, 'start', id])
    await t.ok([...trace, 'exec', id, 'true'])
    await t.ok([...trace, 'kill', id, 'KILL'])
    await t.waitForStatus(id, 'stopped')
    await t.ok([...trace, 'delete', id])
    const hooks = spansOf(file).filter(({ cat }) => cat === 'hooks')
    expect(hooks.map(({ name }) => name)).toEqual([
      'crio-lxc-hook',
      'hooks.createRuntime[0]: /bin/true',
      'hooks.createRuntime[1]: /bin/true',
      ...['crio-lxc-hook', 'hooks.poststart[0]: /bin/true'],
      ...['crio-lxc-hook', 'hooks.poststop[0]: /bin/true'],
    ])
    const verbs = processesOf(file).filter((name) => /^crio-lxc [a-z]+$/.test(name))
    expect(verbs).toEqual(['create', 'start', 'exec', 'kill', 'delete'].map((verb) => `crio-lxc ${verb}`))
    const execution = spansOf(file).filter(({ cat, name }) => cat === 'exec' && name !== 'execute')
    expect(execution.map(({ name }) => name)).toEqual([
      'join the cgroup',
      'enter the namespaces',
      'become the process',
      'execve',
    ])
  })

  it('works with a seccomp filter that allows neither the clock nor the pipe', async () => {
    const { file, id } = await tracedCreate({
      args: ['sleep', '1000'],
      spec: (spec) => {
        const names = ['clock_gettime']
        const syscalls = [{ names, action: 'SCMP_ACT_KILL_PROCESS' }]
        Object.assign(spec.linux, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls } })
      },
    })
    await t.ok(['--trace', file, 'start', id])
    await t.ok(['--trace', file, 'exec', id, 'true'])
    expect(spansOf(file).some(({ name }) => name === 'execve')).toBe(true)
  })

  it('may be given by CRIO_LXC_TRACE, and names a file that cannot be written', async () => {
    const file = join(t.hostDirectory(), 'trace')
    await t.ok(['list'], { env: { CRIO_LXC_TRACE: file } })
    expect(spansOf(file).map(({ name }) => name)).toEqual(['engine', 'load', 'options', 'load', 'list'])
    const refused = await t.runtime(['--trace', '/no/such/trace', 'list'])
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('open --trace /no/such/trace: ') })
  })

  it('leaves warnings where they are without it', async () => {
    const file = join(t.hostDirectory(), 'trace')
    writeFileSync(file, '')
    const { stderr } = await t.ok(['--debug', '--trace', file, 'list'])
    expect(stderr).toContain('debug: list ends with exit code 0')
  })
})
