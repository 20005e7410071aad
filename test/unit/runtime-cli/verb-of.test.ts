import { describe, expect, test } from 'vitest'
import { parseGlobal } from '../../../packages/runtime-cli/src/cli.ts'
import { globalOptions } from '../../../packages/runtime-cli/src/command-line/global-options.ts'
import type { Option } from '../../../packages/runtime-cli/src/command-line/option.ts'
import { verbOf } from '../../../packages/runtime-cli/src/verb-of.ts'

describe('verbOf', () => {
  const options: [string, Option][] = Object.entries(globalOptions)
  const spellings = options.flatMap(([name, { type, alias, choices }]) => {
    const value = choices?.[0] ?? 'state'
    const given = [name, ...(alias === undefined ? [] : [alias])].flatMap((each) => [`-${each}`, `--${each}`])
    return given.flatMap((option) =>
      type === 'boolean' ? [[option], [`${option}=false`]] : [[option, value], [`${option}=${value}`]],
    )
  })

  test.each(spellings)('finds the command behind %s %s', (...words) => {
    const argv = [...words.filter((word) => typeof word === 'string'), 'kill', 'delete']
    expect(verbOf(argv)).toBe('kill')
    expect(parseGlobal(argv).rest[0]).toBe('kill')
  })

  test('knows when there is none', () => {
    expect(verbOf([])).toBeUndefined()
    expect(verbOf(['--root', 'state'])).toBeUndefined()
    expect(verbOf(['--version'])).toBeUndefined()
  })
})
