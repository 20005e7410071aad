import { cleanUp } from '@crio-lxc/core/host/log/clean-up'

/** What create has done so far, to be undone in reverse order when a later step fails: nothing is left behind. */
export class Undo {
  readonly #steps: (() => void)[] = []

  push(step: () => void): void {
    this.#steps.push(step)
  }

  /** Runs every step, also when one fails: the failures go with `error`. */
  run(error: unknown): void {
    const steps = this.#steps.toReversed()
    this.#steps.length = 0
    cleanUp(error, steps)
  }
}
