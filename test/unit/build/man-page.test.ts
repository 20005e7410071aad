/** The manual says what the help and the documents say. */
import { expect, test } from 'vitest'
import { commands } from '../../../packages/runtime-cli/src/cli.ts'
import { manPage } from '../../../scripts/package/man-page.ts'
import { textOf } from '../../support/documents.ts'

/** Without roff's marks. */
const manual = (await manPage('1'))
  .replaceAll('\\-', '-')
  .replaceAll('\\(aq', "'")
  .replace(/\\f[IRB]/g, '')

const sections = manual.split(/^\.S[SH] /m)

test.each(Object.entries(commands))(
  '%s has its section, with each option and which may be repeated',
  async (_, load) => {
    const { command, options, examples } = (await load()).default
    const section = sections.find((text) => text.startsWith(`${command}\n`)) ?? ''
    for (const [line] of examples) expect(section).toContain(`crio-lxc ${line}\n`)
    for (const [name, { type }] of Object.entries(options)) {
      const [, entry = ''] = section.match(RegExp(`^[^\n]*--${name}(?:=[^\n]*)?\n([^]*?)(?:\\.TP|\\.PP)`, 'm')) ?? []
      expect(entry, name).not.toBe('')
      expect(entry.includes('May be repeated.'), name).toBe(type === 'list')
    }
  },
)

test('its environment has each variable of the chapter on configuration', () => {
  const [, table = ''] = textOf('docs/configuration.md').split('## Other variables that are read')
  const [rows = ''] = table.split('\n## ')
  const names = [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name)
  expect(names).toContain('TERM')
  const environment = sections.find((text) => text.startsWith('ENVIRONMENT')) ?? ''
  expect(names.filter((name) => !environment.includes(`\n${name}\n`))).toEqual([])
})

test('its exit status has the ones that are no failure', () => {
  const status = sections.find((text) => text.startsWith('EXIT STATUS')) ?? ''
  expect(status).toMatch(/check.* 1 .*problem/s)
  expect(status).toMatch(/debug plan --diff.* 2 /s)
})
