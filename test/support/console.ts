/**
 * Console blocks of a document: commands behind `# ` with what they print. In the printed lines `...` stands for anything, alone for
 * any number of lines. Pids, times and amounts are compared by their shape, a line that is a number alone as it is.
 */

/** The documents whose blocks are run, in the order in which they build on one another. */
export const executed = ['docs/getting-started.md', 'docs/podman.md', 'docs/debugging.md']

export interface Call {
  readonly command: string
  readonly printed: readonly string[]
}

export interface Outcome {
  readonly status: number
  readonly printed: readonly string[]
}

/** Every call of the blocks marked as `console`, in order. `> ` goes on with the command. */
export function callsOf(markdown: string): Call[] {
  const blocks = [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = '']) => text)
  const calls: { command: string; printed: string[] }[] = []
  for (const line of blocks.flatMap((text) => text.trimEnd().split('\n'))) {
    const call = calls.at(-1)
    if (line.startsWith('# ') && !headingOfPlan.test(line)) calls.push({ command: line.slice(2), printed: [] })
    else if (call === undefined) throw new Error(`printed by no command: ${line}`)
    else if (line.startsWith('> ') && call.printed.length === 0) call.command += `\n${line.slice(2)}`
    else call.printed.push(line)
  }
  return calls
}

/** `debug plan` prints such lines. */
const headingOfPlan = /^# (container|namespaces)$/

const mark = '@@ends with '

/** Lines of bash that run the calls one after another in one shell, as somebody at a prompt does. */
export function scriptOf(calls: readonly Call[]): string {
  const each = calls.map(({ command }) => `${command}\nstatus=$?; printf '\\n${mark}%s\\n' $status; (exit $status)`)
  return `exec 2>&1 </dev/null\n${each.join('\n')}\n`
}

/** What each call of scriptOf() printed, in their order. */
export function outcomesOf(output: string): Outcome[] {
  const parts = output.split(`\n${mark}`)
  return parts.slice(1).map((part, index) => ({
    status: Number.parseInt(part, 10),
    printed: linesOf((index === 0 ? parts[0] : parts[index]?.replace(/^\d+\n/, '')) ?? ''),
  }))
}

function linesOf(text: string): string[] {
  const lines = text.replaceAll('\r', '').trimEnd()
  return lines === '' ? [] : lines.split('\n')
}

/** Whether a call may fail: its document shows its exit code. */
export function mayFail(calls: readonly Call[], index: number): boolean {
  return calls[index + 1]?.command === 'echo $?'
}

/** Whether `printed` is what the document shows, line by line. */
export function isShown(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown
  if (first === undefined) return printed.length === 0
  if (first === '...') return printed.some((_, index) => isShown(rest, printed.slice(index))) || isShown(rest, [])
  const [line, ...others] = printed
  return line !== undefined && matches(first, line) && isShown(rest, others)
}

function matches(shown: string, printed: string): boolean {
  const parts = shape(shown).split('...').map(quoted)
  return new RegExp(`^${parts.join('.*')}$`).test(shape(printed))
}

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Columns are as wide as what is in them. A number of two digits or more is a pid, a part of a time or an amount. */
function shape(line: string): string {
  if (/^\d+$/.test(line)) return line
  return line
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\b[0-9a-f]{64}\b|^sha256:[0-9a-f]+$/g, 'ID')
    .replace(/\d+(\.\d+)?( ms| [KM]iB|%)/g, 'AMOUNT')
    .replace(/\d{2,}(\.\d+)?/g, '0')
}
