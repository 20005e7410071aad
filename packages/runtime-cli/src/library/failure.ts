/** An error on its way from one thread to another, which keeps neither its class nor what it has beside its message. */
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { ErrExist, ErrNotExist, ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
import { messageOf, RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
import { leftBehind } from '@crio-lxc/core/host/log/clean-up'

const classes = { RuntimeError, SpecError, ErrExist, ErrNotExist, ErrNotRunning } as const

export interface Failure {
  /** undefined: an error that no call should throw. */
  readonly name: keyof typeof classes | undefined
  readonly message: string
  readonly code: ErrorCode
  /** Of a SpecError. */
  readonly pointer?: string
  readonly stack?: string | undefined
}

export function toFailure(error: unknown): Failure {
  const message = `${messageOf(error)}${leftBehind(error)}`
  if (!(error instanceof RuntimeError))
    return { name: undefined, message, code: 'io', stack: error instanceof Error ? error.stack : undefined }
  const name = error.name in classes ? (error.name as keyof typeof classes) : 'RuntimeError'
  return { name, message, code: error.code, ...(error instanceof SpecError && { pointer: error.pointer }) }
}

/** `caller` has the stack of the call, which is what a program looks for. */
export function toError({ name, message, code, pointer, stack }: Failure, caller: Error): Error {
  if (name === undefined) {
    const error = new Error(`internal error: ${message}`)
    if (stack !== undefined) error.stack = stack
    return error
  }
  // Their constructors make a message of an id or a field; here it has been made.
  const error = new RuntimeError(code, message)
  Object.setPrototypeOf(error, classes[name].prototype)
  Object.defineProperty(error, 'name', { value: name, configurable: true })
  if (pointer !== undefined) Object.assign(error, { pointer })
  error.stack = `${name}: ${error.message}\n${(caller.stack ?? '').split('\n').slice(1).join('\n')}`
  return error
}
