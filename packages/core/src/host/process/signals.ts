/** Signals by name and number (signal(7), x86 and arm). */
import { RuntimeError } from '../../errors/runtime-error.ts'

const names = [
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU',
  'URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS',
]
  .join(' ')
  .split(' ')
/** Those that a person may want to name. */
export const signalNames: readonly string[] = [...names, 'RTMIN', 'RTMAX']

const aliases: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, RTMIN: 34, RTMAX: 64 }
const LAST_SIGNAL = 64

/** `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3` or `SIGRTMAX-1` as a number; 0 only asks whether the process lives. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOf(text.toUpperCase().replace(/^SIG/, ''))
  if (number === undefined || number > LAST_SIGNAL)
    throw new RuntimeError(
      'usage',
      `unknown signal ${JSON.stringify(text)}: give a name such as TERM or a number up to 64`,
    )
  return number
}

function numberOf(name: string): number | undefined {
  const index = names.indexOf(name)
  if (index >= 0) return index + 1
  const realTime = /^(RTMIN\+|RTMAX-)(\d{1,2})$/.exec(name)
  if (realTime) {
    const offset = Number(realTime[2])
    const number = realTime[1] === 'RTMIN+' ? 34 + offset : LAST_SIGNAL - offset
    return number >= 34 && number <= LAST_SIGNAL ? number : undefined
  }
  return aliases[name]
}
