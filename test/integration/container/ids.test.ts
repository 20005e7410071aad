import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { inRuntimeRoot } from '../../support/leftovers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

describe('ids', () => {
  it.each([
    ['empty', ''],
    ['.', '.'],
    ['..', '..'],
    ['with a slash', 'a/b'],
    ['above', '../t-x'],
    ['with a newline', 'a\nb'],
    ['with a space', 'a b'],
    ['of 2000 characters', 'a'.repeat(2000)],
    ['not ASCII', 'ä'],
  ])('%s is refused by create', async (_, id) => {
    const bundle = await t.bundle()
    const before = readdirSync(t.directory).sort()
    const result = await t.runtime(['create', '--bundle', bundle.path, id])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).not.toBe('')
    expect(readdirSync(t.directory).sort()).toEqual(before)
    expect(inRuntimeRoot(t.root)).toEqual([])
  })

  it.each(['state', 'start', 'kill', 'delete'])('.. is refused by %s', async (command) => {
    expect(await t.runtime([command, '..'])).toMatchObject({ exitCode: 1 })
  })

  it('.. is refused by exec', async () => {
    expect(await t.runtime(['exec', '..', 'true'])).toMatchObject({ exitCode: 255 })
  })
})
