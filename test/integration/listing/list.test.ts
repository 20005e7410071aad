import { describe, expect, it } from 'vitest'
import { type State, useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('list', () => {
  it("prints a table with runc's columns", async () => {
    const { id, pid, bundle } = await t.running()
    const { created } = await t.state(id)
    const [header = '', row = '', ...more] = (await t.ok(['list'])).stdout.split('\n')
    expect(header.trim().split(/ +/)).toEqual(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'])
    expect(row.trim().split(/ +/).slice(0, 5)).toEqual([id, String(pid), 'running', bundle.path, created])
    expect(more).toEqual([''])
    const columns = ['PID', 'STATUS', 'BUNDLE', 'CREATED'].map((name) => header.indexOf(name))
    const values = [String(pid), 'running', bundle.path, created ?? ''].map((value) => row.indexOf(value))
    expect(values).toEqual(columns)
  })

  it('prints the header alone when there are none', async () => {
    expect((await t.ok(['list'])).stdout).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER *\n$/)
  })

  it.each(['-f json', '--format json', '--format=json'])('%s prints what state prints', async (flags) => {
    const containers = [await t.create(), await t.running(), await t.stopped()]
    const list = JSON.parse((await t.ok(['list', ...flags.split(' ')])).stdout) as State[]
    expect(list.map(({ id, status }) => [id, status]).sort()).toEqual([
      [containers[0]?.id, 'created'],
      [containers[1]?.id, 'running'],
      [containers[2]?.id, 'stopped'],
    ])
    const { id, bundle, created, pid } = await t.state(containers[1]?.id ?? '')
    expect(list.find((each) => each.id === id)).toMatchObject({ id, bundle, created, pid, status: 'running' })
  })

  it('prints null or [] as JSON when there are none', async () => {
    expect((await t.ok(['list', '-f', 'json'])).stdout.trim()).toMatch(/^(null|\[\])$/)
  })

  it.each(['-q', '--quiet'])('%s prints the ids alone', async (flag) => {
    const ids = [(await t.create()).id, (await t.create()).id]
    expect((await t.ok(['list', flag])).stdout.trim().split('\n').sort()).toEqual(ids.sort())
  })

  it('refuses an unknown format by name', async () => {
    const result = await t.runtime(['list', '--format', 'xml'])
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/format/)
  })
})
