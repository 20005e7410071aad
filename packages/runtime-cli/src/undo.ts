import { cleanUp } from '@crio-lxc/core/host/log/clean-up'

/** What create has done so far, to be undone in reverse order when something later fails: nothing is left behind. */
export class Undo {
  readonly #undoings: (() => void)[] = []

  push(undoing: () => void): void {
    this.#undoings.push(undoing)
  }

  /** Runs every one, also when one fails: the failures go with `error`. */
  run(error: unknown): void {
    const undoings = this.#undoings.toReversed()
    this.#undoings.length = 0
    cleanUp(error, undoings)
  }
}
