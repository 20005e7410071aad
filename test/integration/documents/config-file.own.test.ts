/** config.json as a file and as JSON. */
import { execFileSync } from 'node:child_process'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('config.json as a file', () => {
  it.each<[string, RegExp, (file: string) => void]>([
    ['cut off', /config\.json.*line 1/, (file) => writeFileSync(file, '{"process": {')],
    ['with a comma too many', /config\.json.*line 3/, (file) => writeFileSync(file, '{\n"a": 1,\n}')],
    ['empty', /config\.json/, (file) => writeFileSync(file, '')],
    ['an array', /config\.json/, (file) => writeFileSync(file, '[]')],
    ['null', /config\.json/, (file) => writeFileSync(file, 'null')],
    ['of 64 MB', /config\.json.*(large|big|bytes|MB|MiB)/i, (file) => truncateSync(file, 64 << 20)],
    ['nested 100 000 deep', /config\.json/, (file) => writeFileSync(file, '['.repeat(100_000))],
    ['not UTF-8', /config\.json/, (file) => writeFileSync(file, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
  ])('%s', async (_, text, spoil) => {
    const bundle = await t.bundle()
    spoil(join(bundle.path, 'config.json'))
    expectOneSentence(await t.attemptCreate(bundle), text)
    t.expectNothingLeft()
  })

  it('missing: the path and the reason', async () => {
    const directory = t.hostDirectory()
    const result = await t.runtime(['create', '--bundle', directory, t.id()])
    const reason = 'no such file or directory: make one with `crio-lxc spec`, or give the right --bundle'
    expect(result).toMatchObject({ exitCode: 1, stderr: `read ${directory}/config.json: ${reason}\n` })
  })

  it('of a bundle without the image: its path, the reason, and where it belongs', async () => {
    const bundle = await t.bundle()
    rmSync(bundle.rootfs, { recursive: true })
    const reason = 'no such file or directory: unpack the image there; a relative path begins at the bundle'
    expect((await t.attemptCreate(bundle)).stderr).toBe(`root.path: open ${bundle.rootfs}: ${reason}\n`)
    t.expectNothingLeft()
  })

  it('a fifo does not hang create', async () => {
    const directory = t.hostDirectory()
    execFileSync('mkfifo', [join(directory, 'config.json')])
    expectOneSentence(await t.runtime(['create', '--bundle', directory, t.id()], { timeoutMs: 5000 }), /config\.json/)
  })
})

describe('a config.json that only JavaScript takes for JSON is refused', () => {
  it.each(['\\x41', '\\x0a', '\\u{a}', '\\v', '\\\n', '\\a', '\\0', '\\012'])('%j in a string', async (text) => {
    const bundle = await t.bundle({ spec: (spec) => void Object.assign(spec.process, { cwd: '/ESCAPE' }) })
    bundle.writeConfig(JSON.stringify(bundle.spec).replace('ESCAPE', text))
    expectOneSentence(
      await t.attemptCreate(bundle),
      /config\.json: not valid JSON at line \d+, column \d+: a string contains /,
    )
  })

  it.each(['1.', '-1.', '1.e5', '-01', '-00', '01', '.5', '+1', '0x1', '1_0', '1n'])(
    'the number %s',
    async (number) => {
      const bundle = await t.bundle({
        spec: (spec) => void Object.assign(spec.linux, { resources: { pids: { limit: 7 } } }),
      })
      bundle.writeConfig(JSON.stringify(bundle.spec).replace('"limit":7', `"limit":${number}`))
      expectOneSentence(await t.attemptCreate(bundle), /config\.json: not valid JSON at line \d+, column \d+: /)
    },
  )

  it('what looks like such a number in a string is no reason', async () => {
    const annotations = { dates: '1. 1.e5 -01 2026-01-02', other: '.5 01' }
    const bundle = await t.bundle({ args: ['true'], spec: (spec) => void Object.assign(spec, { annotations }) })
    const { id } = await t.create(bundle)
    expect(await t.state(id)).toMatchObject({ annotations })
  })
})
