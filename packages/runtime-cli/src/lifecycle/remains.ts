import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/** What a delete could not remove. By force the id becomes free all the same, and the caller is told at the end. */
export class Remains {
  readonly #failures: unknown[] = []

  constructor(readonly force: boolean) {}

  get any(): boolean {
    return this.#failures.length > 0
  }

  /** Does `task`. Throws what it throws unless the delete is by force. */
  of(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!this.force) throw error
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
