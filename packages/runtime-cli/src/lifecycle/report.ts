/** The records that crio-lxc-init writes: 16 bytes each, struct failure of crio-lxc-init.c. */
import { readSync } from 'node:fs'
import { errnoSentence, errnoTable } from '@crio-lxc/core/abi/errno'
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { LISTENER_TAG } from '@crio-lxc/core/plan/plan'
import { poll } from '@crio-lxc/core/sys/libc'

export const RECORD_BYTES = 16

export type Record =
  /** The plan has got as far as it promised. */
  | { readonly kind: 'ready' }
  /** It goes on as this process, and the one before ends. */
  | { readonly kind: 'forked'; readonly pid: number }
  | StepRecord
  /** The number of the seccomp listener in the process, which waits until an agent has it. */
  | { readonly kind: 'listener'; readonly listener: number }
  | { readonly kind: 'end' }

/** A step of the plan `tag` failed. */
export interface StepRecord {
  readonly kind: 'failure'
  readonly tag: number
  readonly step: number
  readonly errno: number
}

/** The next record from the pipe; throws RuntimeError `timeout` after `timeoutMs`. */
export function readRecord(fd: number, { timeoutMs, what }: { timeoutMs: number; what: string }): Record {
  const buffer = Buffer.alloc(RECORD_BYTES)
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const [events = 0] = poll([fd], Math.max(0, Math.ceil(deadline - performance.now())))
    if (events === 0) throw new RuntimeError('timeout', `${what}: it took longer than ${timeoutMs} ms`)
    // Writes of this size to a pipe are atomic (pipe(7)): a record comes whole or not at all.
    const length = readSync(fd, buffer)
    if (length === 0) return { kind: 'end' }
    return parseRecord(buffer)
  }
}

export function parseRecord(buffer: Buffer): Record {
  const tag = buffer.readUInt32LE(0)
  const pid = buffer.readUInt32LE(8)
  if (tag === 0) return pid === 0 ? { kind: 'ready' } : { kind: 'forked', pid }
  if (tag === LISTENER_TAG) return { kind: 'listener', listener: buffer.readUInt32LE(8) }
  return { kind: 'failure', tag, step: buffer.readUInt32LE(4), errno: buffer.readUInt32LE(8) }
}

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
export function stepError(code: ErrorCode, { what, call, errno, command }: StepFailure): RuntimeError {
  const executes = what === 'find the executable' || what === 'execute process.args'
  if (!executes) return new RuntimeError(code, `${what}: ${call}: ${errnoSentence(errno)}`)
  const name = `exec: ${JSON.stringify(command)}`
  const missing = errno === errnoTable.ENOENT[0] || errno === errnoTable.ENOTDIR[0]
  if (!missing || what !== 'find the executable') return new RuntimeError(code, `${name}: ${errnoSentence(errno)}`)
  if (!command.includes('/')) return new RuntimeError(code, `${name}: executable file not found in $PATH`)
  return new RuntimeError(code, `${name}: stat ${command}: no such file or directory`)
}
