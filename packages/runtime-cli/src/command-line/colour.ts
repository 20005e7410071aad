import { isTerminal } from '@crio-lxc/core/sys/fd'
import { environment } from '@crio-lxc/core/sys/program'

/** Whether standard output takes colours: a terminal that can show them, of a person who wants them (no-color.org). */
export function wantsColour(): boolean {
  const { NO_COLOR: refused, TERM: terminal } = environment()
  return isTerminal(1) && !refused && terminal !== 'dumb'
}
