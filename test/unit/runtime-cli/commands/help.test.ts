import { describe, expect, test } from 'vitest'
import { commands } from '../../../../packages/runtime-cli/src/cli.ts'
import { globalOptions } from '../../../../packages/runtime-cli/src/command-line/global-options.ts'
import { helpText } from '../../../../packages/runtime-cli/src/commands/help-text.ts'

const names = Object.keys(commands) as (keyof typeof commands)[]

/** Without the width of columns and lines. */
function words(text: string): string {
  return text.replace(/\s+/g, ' ')
}

describe('helpText()', () => {
  test.each([undefined, ...names])('of %s fits into 80 columns', async (name) => {
    const lines = (await helpText(name)).split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
  })

  test.each(names)('of %s has each example on a line, and what it does below', async (name) => {
    const { examples } = (await commands[name]()).default
    const text = await helpText(name)
    expect(examples.length).toBeGreaterThan(0)
    for (const [line, describe] of examples) expect(text).toContain(`\n  crio-lxc ${line}\n      ${describe}\n`)
  })

  test.each(names)('of %s has every option', async (name) => {
    const { command, describe, options } = (await commands[name]()).default
    const text = words(await helpText(name))
    expect(text).toMatch(`crio-lxc [global options] ${command} ${describe} `)
    for (const [option, { describe }] of Object.entries(options)) {
      expect(text).toContain(` --${option} `)
      expect(text).toContain(` ${describe}`)
    }
  })

  test('names the value, the short name, the choices, the default and the variable', async () => {
    const [program, exec, list] = await Promise.all([helpText(), helpText('exec'), helpText('list')])
    expect(words(program)).toContain(
      '--log-level WORD least level of --log-file (trace, debug, info, warn, error, fatal, panic, disabled; default info; CRIO_LXC_LOG_LEVEL)',
    )
    expect(words(exec)).toContain(' -e, --env NAME=VALUE set an environment variable (may be repeated) -t, --tty ')
    expect(list).toMatch(/^ {2}-f, --format table\|json +form of the list \(default table\)$/m)
    expect(list).toMatch(/^ {2}-q, --quiet +print ids only$/m)
  })

  test('of the program has every command and every global option', async () => {
    const text = await helpText()
    for (const name of names) expect(text).toMatch(new RegExp(`^ {2}${name}( plan)? +\\w`, 'm'))
    for (const option of Object.keys(globalOptions)) expect(text).toMatch(new RegExp(`^.{6}--${option} `, 'm'))
  })
})
