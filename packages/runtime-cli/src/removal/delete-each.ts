/** delete of several containers: one that cannot be removed keeps none of the others. */
import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { log, logContainer } from '@crio-lxc/core/host/log/logger'

export interface DeleteEach {
  readonly remove: (id: string) => Promise<void>
  /** Told before each how many are done of how many, and at the end. */
  readonly progress: ((done: number, all: number) => void) | undefined
}

/** Throws RuntimeError with the code of the first failure and the sentences of all. */
export async function deleteEach(ids: readonly string[], { remove, progress }: DeleteEach): Promise<void> {
  const failures: { readonly id: string; readonly error: unknown }[] = []
  for (const [done, id] of ids.entries()) {
    progress?.(done, ids.length)
    logContainer(id)
    try {
      await remove(id)
      log.info('deleted', { c: 'delete' })
    } catch (error) {
      log.info(`not deleted: ${messageOf(error)}`, { c: 'delete', errorCode: codeOf(error) })
      failures.push({ id, error })
    }
  }
  progress?.(ids.length, ids.length)
  const [first] = failures
  if (first === undefined) return
  const sentences = failures.map(({ id, error }) => `${id}: ${messageOf(error)}`)
  throw new RuntimeError(
    codeOf(first.error),
    `delete ${failures.length} of ${ids.length} containers: ${sentences.join('; ')}`,
  )
}

const codeOf = (error: unknown): ErrorCode => (error instanceof RuntimeError ? error.code : 'io')
