import { defaultSpec } from '@crio-lxc/core/oci/default-spec'

/** A JSON value that a test may change freely. */
// biome-ignore lint/suspicious/noExplicitAny: tests make wrong documents on purpose
export type Json = any

/** Field (`process.rlimits[0].hard`) to its value; undefined removes it. */
export type Changes = Readonly<Record<string, Json>>

/** A copy of the default spec with other values; objects on the way are made when they are missing. */
export function specWith(changes: Changes): Json {
  const spec = structuredClone(defaultSpec) as Json
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split(/\.|\[|\]\.?/).filter((name) => name !== '')
    const last = names.pop() ?? ''
    let object = spec
    for (const name of names) object = object[name] ??= {}
    if (value === undefined) delete object[last]
    else object[last] = value
  }
  return spec
}

/** What a function throws; fails when it returns. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
