import { errnoSentence, errnoTable } from '@crio-lxc/core/abi/errno'
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/** What the failed step did, the call it made, and why it failed. */
export interface StepFailure {
  readonly what: string
  readonly call: string
  readonly errno: number
  /** process.args[0]. */
  readonly command: string
}

/**
 * The error of a failed step. A program that cannot be executed is worded as podman and the kubelet read it: exit
 * codes 126 and 127 come from "permission denied" and "executable file not found in" or "no such file or directory".
 */
export function stepError(code: ErrorCode, { what, call, errno, command: given }: StepFailure): RuntimeError {
  const command = shorten(given)
  const executes = what === 'find the executable' || what === 'execute process.args'
  // What the plan itself decided has a sentence of its own, and no call that failed.
  if (call.startsWith('fail(') && !executes) return new RuntimeError(code, what)
  const missing = errno === errnoTable.ENOENT[0] || errno === errnoTable.ENOTDIR[0]
  // The words name the path, and the flags of openat2(2) explain nothing about one that is not there.
  if (!executes && missing && call.startsWith('openat2('))
    return new RuntimeError(code, `${what}: ${errnoSentence(errno)}${adviceFor(what)}`)
  if (!executes) return new RuntimeError(code, `${what}: ${call}: ${errnoSentence(errno)}${limitAdvice(what, errno)}`)
  const name = `exec: ${JSON.stringify(command)}`
  if (!missing || what !== 'find the executable') return new RuntimeError(code, `${name}: ${errnoSentence(errno)}`)
  if (!command.includes('/')) return new RuntimeError(code, `${name}: executable file not found in $PATH`)
  return new RuntimeError(code, `${name}: stat ${command}: no such file or directory`)
}

/** conmon reads one buffer of the message: the reason comes last, and must be in it. */
function shorten(command: string): string {
  return command.length > 1000 ? `${command.slice(0, 1000)}...` : command
}

function adviceFor(what: string): string {
  return what.startsWith('open process.cwd') ? ': give a directory that the container has' : ''
}

/** prlimit(2), and proc_sys_fs(5) of nr_open. */
function limitAdvice(what: string, errno: number): string {
  if (!what.startsWith('set RLIMIT_') || errno !== errnoTable.EPERM[0]) return ''
  const most = what.includes('RLIMIT_NOFILE') ? '; no limit of files exceeds /proc/sys/fs/nr_open' : ''
  return `: lower it, or give the runtime CAP_SYS_RESOURCE${most}`
}
