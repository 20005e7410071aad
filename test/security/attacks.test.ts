import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { isRunc, runtimePath } from '../support/runtime.ts'
import { verdictOf } from './attack.ts'
import { attacks } from './attacks.ts'
import type { Verdicts } from './comparison.ts'

requires('root')
const t = useContainers()

/** What is expected, as it was seen; RECORD=1 writes down what is seen now, and holes of crio-lxc fail all the same. */
const file = join(import.meta.dirname, 'verdicts.json')
const verdicts = JSON.parse(readFileSync(file, 'utf8')) as Verdicts
const column = isRunc ? runcColumn() : 'crio-lxc'
const record = process.env.RECORD === '1'

/** runc 1.1.15 refuses mounts below /proc that 1.1.5 makes, also through links of the image. */
function runcColumn(): 'runc' | 'runc 1.1.15' {
  const said = execFileSync(runtimePath, ['--version'], { encoding: 'utf8' })
  return /^runc version 1\.1\.5\b/.test(said) ? 'runc' : 'runc 1.1.15'
}

function expected(name: string) {
  const seen = verdicts[name]
  return seen?.[column] ?? (isRunc ? seen?.runc : undefined)
}

describe('an attack by image and config.json', () => {
  it.each(attacks.map((attack) => [`${attack.name} (${attack.lesson})`, attack] as const))('%s', async (_, attack) => {
    const { verdict, detail } = await verdictOf(t, attack)
    if (record) verdicts[attack.name] = { ...verdicts[attack.name], [column]: verdict }
    if (!isRunc) expect(['refused', 'contained'], detail).toContain(verdict)
    expect(verdict, detail).toBe(expected(attack.name))
    if (verdict === 'refused') t.expectNothingLeft()
  })
})

afterAll(() => {
  const known = attacks.map(({ name }) => [name, verdicts[name]] as const)
  if (record) writeFileSync(file, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`)
})
