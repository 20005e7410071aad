import { type ErrorCode, type ErrorKind, errorKinds } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { closest } from '../command-line/closest.ts'
import { defineCommand } from '../command-line/command.ts'
import { writeOut } from '../command-line/output.ts'
import { table } from '../command-line/table.ts'

const kinds: Readonly<Record<ErrorCode, ErrorKind>> = errorKinds

export default defineCommand({
  command: 'explain [code]',
  describe: 'say what the code of an error means (errorCode in the logs), and what to do',
  options: {},
  examples: [
    ['explain', 'every code'],
    ['explain hook-failed', 'one, with what to do'],
  ],
  looks: true,
  handler({ positionals: [code] }) {
    if (code === undefined) writeOut(table(Object.entries(kinds).map(([name, { meaning }]) => [name, plain(meaning)])))
    else {
      const { meaning, advice } = kindOf(code)
      writeOut(`${code}: ${plain(meaning)}\n-> ${plain(advice)}\n`)
    }
    return 0
  },
})

function kindOf(code: string): ErrorKind {
  if (Object.hasOwn(kinds, code)) return kinds[code as ErrorCode]
  const meant = closest(code, Object.keys(kinds))
  const hint = meant === undefined ? 'crio-lxc explain lists all' : `did you mean ${meant}?`
  throw new RuntimeError('usage', `unknown error code ${JSON.stringify(code)}: ${hint}`)
}

/** The words are those of docs/errors.md: without its links. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}
