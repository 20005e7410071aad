import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { inRuntimeRoot } from '../../support/leftovers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('ids', () => {
  it.each(['', '.', '..', 'a/b', '../x', 'a\nb', 'a b', 'a'.repeat(2000), 'ä'])(
    '%j: the sentence of runc',
    async (id) => {
      const bundle = await t.bundle()
      expectOneSentence(await t.runtime(['create', '--bundle', bundle.path, '--', id]), /invalid container ID format/)
      for (const command of ['state', 'start', 'kill', 'delete']) {
        expectOneSentence(await t.runtime([command, '--', id]), /invalid container ID format/)
      }
      expect(inRuntimeRoot(t.root)).toEqual([])
    },
  )
})
