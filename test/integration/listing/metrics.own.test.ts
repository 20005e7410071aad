import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** The values of a text by `name{labels}`; a line that is neither a sample nor a comment fails. */
function samples(text: string): Map<string, number> {
  const lines = text.trimEnd().split('\n')
  const sample = /^([a-z_]+\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\}) (\d+(?:\.\d+)?(?:e-\d+)?)$/
  expect(lines.filter((line) => !/^# (HELP|TYPE) \S+ \S/.test(line) && !sample.test(line))).toEqual([])
  const found = lines.flatMap((line) => {
    const [, name, value] = sample.exec(line) ?? []
    return name === undefined ? [] : [[name, Number(value)] as const]
  })
  expect(new Set(found.map(([name]) => name)).size).toBe(found.length)
  return new Map(found)
}

describe('events --stats --format prometheus', () => {
  it('has all containers, each metric once with its type', async () => {
    const busy = await t.running({
      args: ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000'],
      spec: (spec) => {
        Object.assign(spec.linux.resources, { memory: { limit: 64 << 20 }, pids: { limit: 9 } })
        Object.assign(spec, { annotations: { 'io.kubernetes.pod.name': 'a"b\\c\nd\x1b' } })
      },
    })
    const idle = await t.running({ args: ['sleep', '1000'] })
    const stopped = await t.stopped()
    const { stdout } = await t.ok(['events', '--stats', '--format', 'prometheus'])
    const values = samples(stdout)
    const of = (name: string, id: string) => values.get(`crio_lxc_container_${name}{id="${id}"}`)
    expect(of('cpu_usage_seconds_total', busy.id)).toBeGreaterThan(0)
    expect(of('memory_usage_bytes', busy.id)).toBeGreaterThan(1000)
    expect(of('memory_limit_bytes', busy.id)).toBe(64 << 20)
    expect(of('pids_limit', busy.id)).toBe(9)
    expect(of('pids', idle.id)).toBe(1)
    expect(of('memory_limit_bytes', idle.id)).toBeUndefined()
    expect(of('pids', stopped.id)).toBeUndefined()
    expect(values.get(`crio_lxc_container_info{id="${stopped.id}",status="stopped"}`)).toBe(1)
    const label = String.raw`pod="a\"b\\c\nd\ufffd"`.replace(String.raw`\ufffd`, '\ufffd')
    expect(values.get(`crio_lxc_container_info{id="${busy.id}",${label},status="running"}`)).toBe(1)
    const types = stdout.match(/^# TYPE \S+/gm) ?? []
    expect(new Set(types).size).toBe(types.length)
    expect(types.length).toBeGreaterThan(10)
  })

  it('has one that is named, and fails for one that has stopped as without the format', async () => {
    const { id } = await t.running({ args: ['sleep', '1000'] })
    await t.running({ args: ['sleep', '1000'] })
    const { stdout } = await t.ok(['events', '--stats', '--format', 'prometheus', id])
    expect([...samples(stdout).keys()].filter((name) => !name.includes(`{id="${id}"`))).toEqual([])
    const stopped = await t.stopped()
    const failed = await t.runtime(['events', '--stats', '--format', 'prometheus', stopped.id])
    expect(failed.exitCode).toBe(1)
    expect(messageOf(failed)).toContain('container not running')
  })

  it('is of --stats alone, and lines of JSON need an id', async () => {
    expect(messageOf(await t.runtime(['events', '--format', 'prometheus']))).toContain('give both')
    expect(messageOf(await t.runtime(['events', '--stats']))).toBe(
      '"events" requires exactly 1 argument(s), got 0: <container-id>',
    )
  })
})
