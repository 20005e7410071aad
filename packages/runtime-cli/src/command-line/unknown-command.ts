/** What was probably meant by a command that there is not. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { closest } from './closest.ts'

/** Commands of runc that callers try; CRI-O takes the failure of `checkpoint --help` for "has not". */
const notSupported: Readonly<Record<string, string>> = {
  checkpoint: 'checkpoint is not supported: the state of a container cannot be saved',
  restore: 'restore is not supported: a container cannot be made from a saved state',
}

/** What other tools call a verb, by habit of their users; the value is the whole hint. */
const elsewhere: Readonly<Record<string, string>> = {
  rm: 'did you mean delete?',
  remove: 'did you mean delete?',
  destroy: 'did you mean delete?',
  stop: 'did you mean kill? It sends a signal, TERM unless given',
  terminate: 'did you mean kill?',
  signal: 'did you mean kill?',
  status: 'did you mean state?',
  info: 'did you mean state, or features?',
  stat: 'did you mean state, or events --stats?',
  stats: 'did you mean events --stats, or top?',
  log: 'did you mean logs?',
  attach: 'there is no such command, because the terminal goes to --console-socket: did you mean exec?',
  enter: 'did you mean exec?',
  ls: 'did you mean list?',
  freeze: 'did you mean pause?',
  unfreeze: 'did you mean resume?',
  unpause: 'did you mean resume?',
  continue: 'did you mean resume?',
  restart: 'there is no such command: delete the container, and run it again',
  init: 'did you mean spec?',
  version: 'did you mean --version?',
}

/** Of none of `names`. */
export function unknownCommand(name: string, names: readonly string[]): RuntimeError {
  if (Object.hasOwn(notSupported, name)) return new RuntimeError('unsupported', notSupported[name] ?? '')
  return new RuntimeError('usage', `unknown command ${JSON.stringify(name)}: ${hintFor(name, names)}`)
}

function hintFor(name: string, names: readonly string[]): string {
  if (Object.hasOwn(elsewhere, name)) return elsewhere[name] ?? ''
  const meant = closest(name, names)
  return meant === undefined ? 'crio-lxc --help lists all' : `did you mean ${meant}?`
}
