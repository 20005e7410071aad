import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { program } from '../../support/programs.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('signals that the caller blocks', () => {
  const through = [program('launch'), '--block-signals', '--ignore-signals', '--']

  it('are not blocked for init', async () => {
    const report = await t.probe({}, { through })
    expect([report.signalsBlocked, report.signalsIgnored]).toEqual([[], []])
  })

  it('are not blocked for exec', async () => {
    const { id } = await t.running()
    const report = await t.probeExec(id, [], { through })
    expect([report.signalsBlocked, report.signalsIgnored]).toEqual([[], []])
  })
})
