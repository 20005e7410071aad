/** Errors that node:fs throws: a code, a call and a path, in a sentence that begins with the code. */
import { errnoTable } from '../abi/errno.ts'
import { messageOf } from './runtime-error.ts'

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/**
 * `EACCES: permission denied, mkdir '/x'` without what a sentence around it says already. In the words of strerror(3):
 * the engines have their own, such as "operation not supported on socket" for any file.
 */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  const row = Object.entries(errnoTable).find(([name]) => name === (code === 'ENOTSUP' ? 'EOPNOTSUPP' : code))
  if (row) return row[1][1]
  return messageOf(error)
    .replace(/^[A-Z0-9]+: /, '')
    .replace(/, \w+( '.*')?$/s, '')
}

/** The whole as one of our sentences, `mkdir /x: permission denied`; undefined for any other kind of error. */
export function systemErrorSentence(error: unknown): string | undefined {
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return undefined
  return `${syscall}${path === undefined ? '' : ` ${path}`}: ${reasonOf(error)}`
}
