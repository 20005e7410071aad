import { phrase } from '../../errors/codes.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'

/** A file name may have 255 bytes, and liblxc puts a dot before it. */
const MAX_LENGTH = 254

/**
 * An id names a directory below the runtime root, so it must not be able to name another one. Throws RuntimeError
 * `invalid-id` unless it has only letters, digits and `_+-.` and is not `.` or `..`.
 */
export function checkContainerId(id: string): string {
  if (id.length > MAX_LENGTH)
    throw new RuntimeError('invalid-id', `${phrase.invalidId}: it has more than 254 characters`)
  if (!/^[A-Za-z0-9_+.-]+$/.test(id) || id === '.' || id === '..')
    throw new RuntimeError('invalid-id', `${phrase.invalidId}: ${JSON.stringify(id)}: use letters, digits and _ + - .`)
  return id
}
