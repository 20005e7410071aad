import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf } from '@crio-lxc/core/errors/system-error'

/** What says nothing of the container: the same delete succeeds when the runtime has what it needs, and must find the record. */
const ofTheRuntime = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EAGAIN', 'EINTR'])

/** What a delete could not remove. By force the id becomes free all the same, and the caller is told at the end. */
export class Remains {
  readonly #failures: unknown[] = []

  constructor(readonly force: boolean) {}

  get any(): boolean {
    return this.#failures.length > 0
  }

  /** Does `task`. Throws what it throws unless the delete is by force and would fail again. */
  of(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!this.force || isPassing(error)) throw error
      this.#failures.push(error)
    }
  }

  /** Throws RuntimeError `cgroup` when something is left. */
  report(id: string): void {
    if (!this.any) return
    const what = [...new Set(this.#failures.map(messageOf))].join('; ')
    throw new RuntimeError('cgroup', `the container ${id} is deleted, but not all of it is gone: ${what}`)
  }
}

/** Also as the cause of another; null is what an engine without memory throws. */
function isPassing(error: unknown): boolean {
  if (error === null || ofTheRuntime.has(codeOf(error) ?? '')) return true
  return error instanceof Error && error.cause !== undefined && isPassing(error.cause)
}
