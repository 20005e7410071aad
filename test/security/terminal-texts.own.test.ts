/** Texts of bundles and containers that a terminal shows: nothing of them steers it or turns its text around. */
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../support/bundle.ts'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import type { Spec } from '../support/spec.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** ESC and its C1 form, BEL, DEL, NEL, both separators, marks and overrides of direction, and a tag beyond 16 bits. */
const hostile = 'x\u001b[2J\u009b31m\u0007\u007f\u0085\u2028\u2029\u200f\u202e\u2066\u{e0041}y'
const escaped = 'x\\u001b[2J\\u009b31m\\u0007\\u007f\\u0085\\u2028\\u2029\\u200f\\u202e\\u2066\\udb40\\udc41y'
const steers = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

async function hostileBundle(change: (spec: Spec) => void = () => {}): Promise<Bundle> {
  const bundle = await t.bundle({ args: ['sleep', '1000'], spec: change })
  const path = join(t.hostDirectory(), hostile)
  renameSync(bundle.path, path)
  return { ...bundle, path, rootfs: join(path, 'rootfs') }
}

describe('a hostile text', () => {
  it('is escaped in warnings on stderr', async () => {
    const { stderr } = await t.run({ process: { capabilities: { bounding: [`CAP_${hostile}`] } } })
    expect(stderr).toMatch(/^warning: process\.capabilities/)
    expect(stderr).toContain(escaped)
    expect(stderr).not.toMatch(steers)
  })

  it.each([
    ['--log-format', 'text'],
    ['--log-format', 'json'],
  ])('is escaped in the log of %s %s', async (...format) => {
    const log = join(t.hostDirectory(), 'log')
    const bundle = await hostileBundle((spec) => Object.assign(spec.process, { cwd: hostile }))
    const flags = ['--debug', '--log', log, ...format]
    const { exitCode, stderr } = await t.runtime([...flags, 'create', '--bundle', bundle.path, t.id()])
    expect(exitCode).toBe(1)
    expect(stderr).not.toMatch(steers)
    expect(t.read(log)).toContain('\\u001b')
    expect(t.read(log)).not.toMatch(steers)
  })

  it('is escaped in the log of --log-file', async () => {
    const log = join(t.hostDirectory(), 'log')
    const bundle = await hostileBundle()
    await t.ok(['--debug', '--log-file', log, 'create', '--bundle', bundle.path, t.id()])
    const text = t.read(log)
    expect(text).toContain('\\u001b')
    expect(text).not.toMatch(steers)
    for (const line of text.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('l')
  })

  it('is escaped in error messages', async () => {
    const path = join(t.hostDirectory(), hostile)
    mkdirSync(path)
    const { exitCode, stderr } = await t.runtime(['create', '--bundle', path, t.id()])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(escaped)
    expect(stderr).not.toMatch(steers)
  })

  it.each([[[]], [['--steps']], [['--json']]])('is escaped in debug plan %j', async (flags) => {
    const bundle = await hostileBundle((spec) => {
      spec.process.args = ['echo', hostile]
      spec.process.cwd = `/tmp/${hostile}`
      spec.hooks = { poststop: [{ path: `/bin/${hostile}`, args: [hostile] }] }
      spec.mounts.push({ destination: `/mnt/${hostile}`, type: 'tmpfs', source: hostile, options: [`size=${hostile}`] })
    })
    const { stdout } = await t.ok(['debug', 'plan', ...flags, bundle.path])
    expect(stdout).toContain(escaped)
    expect(stdout).not.toMatch(steers)
    if (flags[0] === '--json') expect(JSON.stringify(JSON.parse(stdout))).toContain('\u202e')
  })

  it('is escaped in state and list, whose JSON has it as it is', async () => {
    const bundle = await hostileBundle((spec) => Object.assign(spec, { annotations: { [hostile]: hostile } }))
    const { id } = await t.create(bundle)
    const state = await t.ok(['state', id])
    expect(state.stdout).not.toMatch(steers)
    expect(JSON.parse(state.stdout)).toMatchObject({ bundle: bundle.path, annotations: { [hostile]: hostile } })
    const json = await t.ok(['list', '--format', 'json'])
    expect(json.stdout).not.toMatch(steers)
    expect(JSON.parse(json.stdout)).toMatchObject([{ id, bundle: bundle.path }])
    const table = await t.ok(['list'])
    expect(table.stdout).not.toMatch(steers)
    expect(table.stdout).toContain(escaped)
  })

  it('is escaped in ps, which shows what the processes of the container call themselves', async () => {
    const { id } = await t.running({ args: ['sh', '-c', 'sleep 1000; true', hostile] })
    const { stdout } = await t.ok(['ps', id, '-o', 'pid,args'], { env: { ...process.env, LC_ALL: 'C.UTF-8' } as never })
    expect(stdout).toContain('sleep 1000')
    expect(stdout).not.toMatch(steers)
  })
})
