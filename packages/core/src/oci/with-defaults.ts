import type { Process, User } from './spec.ts'

/** What a document may have where a Process belongs, as it is parsed. */
type Given = Omit<Process, 'user'> & { readonly user?: Partial<User> }

/**
 * Fills in what other runtimes read as zero: a user, or its uid or gid, that is left out is root's. A value of a wrong type
 * is left for the validator to name.
 */
export function withUser<Value extends object>(process: Value): Value {
  const { user = {} } = process as unknown as Given
  if (typeof user !== 'object' || Array.isArray(user) || (user.uid !== undefined && user.gid !== undefined))
    return process
  return { ...process, user: { uid: 0, gid: 0, ...user } }
}
