import { errnoName, errnoSentence, errnoTable } from '@crio-lxc/core/abi/errno'
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Advice, Operation, StepMeaning } from '@crio-lxc/core/plan/plan'

/** Of init's steps `start` does not know which call they make. */
export type FailedStep = StepMeaning & { readonly call?: Operation }

export interface StepFailure {
  /** The call that it made, in words. */
  readonly call: string
  readonly errno: number
  /** process.args[0]. */
  readonly command: string
}

/**
 * The error of a failed step. A program that cannot be executed is worded as podman and the kubelet read it: exit
 * codes 126 and 127 come from "permission denied" and "executable file not found in" or "no such file or directory".
 */
export function stepError(code: ErrorCode, step: FailedStep, failure: StepFailure): RuntimeError {
  return new RuntimeError(code, sentenceOf(step, failure))
}

function sentenceOf(step: FailedStep, { call, errno, command }: StepFailure): string {
  if (step.role === 'find-executable') return notFound(shorten(command), errno)
  if (step.role === 'execute') return refusal(command, errno)
  // What the plan itself decided has a sentence of its own, and no call that failed.
  if (step.call === 'fail') return step.what
  const missing = errno === errnoTable.ENOENT[0] || errno === errnoTable.ENOTDIR[0]
  // The words name the path, and the flags of openat2(2) explain nothing about one that is not there.
  const made = missing && step.call === 'openat2' ? '' : `: ${call}`
  const advice = step.advice?.[errnoName(errno) as keyof Advice]
  return `${step.what}${made}: ${errnoSentence(errno)}${advice === undefined ? '' : `: ${advice}`}`
}

/** The sentence about a program that the kernel refuses to execute. */
export function refusal(command: string, errno: number): string {
  return `${subject(command)}: ${errnoSentence(errno)}`
}

/** The beginning of a sentence about a program: runc's words. */
function subject(command: string): string {
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
