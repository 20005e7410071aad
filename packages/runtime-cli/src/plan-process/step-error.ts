import { errnoSentence, errnoTable } from '@crio-lxc/core/abi/errno'
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { EXECUTE, FIND_EXECUTABLE } from '@crio-lxc/init/step-names'

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
export function stepError(code: ErrorCode, failure: StepFailure): RuntimeError {
  return new RuntimeError(code, sentenceOf(failure))
}

function sentenceOf({ what, call, errno, command }: StepFailure): string {
  if (what === FIND_EXECUTABLE) return notFound(shorten(command), errno)
  if (what === EXECUTE) return `${subject(command)}: ${errnoSentence(errno)}`
  // What the plan itself decided has a sentence of its own, and no call that failed.
  if (call.startsWith('fail(')) return what
  const missing = errno === errnoTable.ENOENT[0] || errno === errnoTable.ENOTDIR[0]
  // The words name the path, and the flags of openat2(2) explain nothing about one that is not there.
  if (missing && call.startsWith('openat2(')) return `${what}: ${errnoSentence(errno)}${adviceFor(what)}`
  return `${what}: ${call}: ${errnoSentence(errno)}${limitAdvice(what, errno)}`
}

/** The beginning of a sentence about a program: runc's words. */
export function subject(command: string): string {
  return `exec: ${JSON.stringify(shorten(command))}`
}

function notFound(command: string, errno: number): string {
  const missing = errno === errnoTable.ENOENT[0]
  if (missing && !command.includes('/')) return `${subject(command)}: executable file not found in $PATH`
  // runc looks with stat(2), and its callers know the words.
  if (missing || errno === errnoTable.ENOTDIR[0]) return `${subject(command)}: stat ${command}: ${errnoSentence(errno)}`
  if (errno === errnoTable.EISDIR[0]) return `${subject(command)}: it is a directory: permission denied`
  return `${subject(command)}: ${errnoSentence(errno)}`
}

/** conmon reads one buffer of the message: the reason comes last, and must be in it. */
function shorten(command: string): string {
  return command.length > 1000 ? `${command.slice(0, 1000)}...` : command
}

function adviceFor(what: string): string {
  if (what.startsWith('open process.cwd')) return ': give a directory that the container has'
  return what.startsWith('open linux.sysctl') ? ": this kernel has no such parameter in the container's namespaces" : ''
}

/** prlimit(2), and proc_sys_fs(5) of nr_open. */
function limitAdvice(what: string, errno: number): string {
  if (!what.startsWith('set RLIMIT_') || errno !== errnoTable.EPERM[0]) return ''
  const most = what.includes('RLIMIT_NOFILE') ? '; no limit of files exceeds /proc/sys/fs/nr_open' : ''
  return `: lower it, or give the runtime CAP_SYS_RESOURCE${most}`
}
