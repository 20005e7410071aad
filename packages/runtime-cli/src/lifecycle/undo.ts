import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/** What create has done so far, to be undone in reverse order when a later step fails: nothing is left behind. */
export class Undo {
  readonly #steps: (() => void)[] = []

  push(step: () => void): void {
    this.#steps.push(step)
  }

  /** Runs every step, also when one fails; the failures ride along in `cleanup` and never replace `error`. */
  run(error: unknown): unknown {
    const failures: unknown[] = []
    for (const step of this.#steps.toReversed()) {
      try {
        step()
      } catch (failure) {
        failures.push(failure)
      }
    }
    this.#steps.length = 0
    if (failures.length === 0 || !(error instanceof RuntimeError)) return error
    return new RuntimeError(error.code, error.message, { cause: error.cause, cleanup: failures })
  }
}
