import { texts } from '../../generated/help.ts'

/** The help of a command, or of the program, as scripts/render-help.ts has rendered it. */
export function helpText(name = ''): string {
  const text = texts[name]
  if (text === undefined) throw new Error(`no help for ${name}`)
  return text
}
