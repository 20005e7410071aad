import { errorKinds } from '@crio-lxc/core/errors/codes'
import { describe, expect, it } from 'vitest'
import { requires } from '../../support/requires.ts'
import { invoke, messageOf } from '../../support/runtime.ts'

requires('own-runtime')

describe('explain', () => {
  it.each(Object.entries(errorKinds))('%s', async (code, { meaning }) => {
    const { exitCode, stdout } = await invoke(['explain', code])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`${code}: ${meaning}\n-> `)
    expect(stdout).not.toContain('](')
  })

  it('lists all without a code, and knows what was meant', async () => {
    const { stdout } = await invoke(['explain'])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(Object.keys(errorKinds))
    const result = await invoke(['explain', 'hook-faild'])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toBe('unknown error code "hook-faild": did you mean hook-failed?')
  })
})
