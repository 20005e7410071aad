import { isTerminal } from '@crio-lxc/core/sys/fd'
import { environment } from '@crio-lxc/core/sys/program'

/** Whether standard output takes colours: a terminal that can show them, of a person who wants them (no-color.org). */
export function wantsColour(): boolean {
  return !environment()['NO_COLOR'] && isScreen()
}

/** Whether standard output is a terminal that escape sequences steer; one without a name may print them. */
export function isScreen(): boolean {
  const { TERM: terminal } = environment()
  return isTerminal(1) && Boolean(terminal) && terminal !== 'dumb'
}
