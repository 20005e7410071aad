import { texts } from '../../generated/help.ts'
import { unknownCommand } from '../command-line/unknown-command.ts'

/** The help of a command, or of the program, as scripts/render-help.ts has rendered it. Throws RuntimeError `usage` for no command. */
export function helpText(name?: string): string {
  const text = name === '' ? undefined : texts[name ?? '']
  if (text !== undefined) return text
  throw unknownCommand(
    name ?? '',
    Object.keys(texts).filter((command) => command !== ''),
  )
}
