import { phrase } from './codes.ts'
import { RuntimeError } from './runtime-error.ts'

/** The id is taken (the seed's ErrExist). */
export class ErrExist extends RuntimeError {
  override readonly name: string = 'ErrExist'

  constructor(id: string) {
    super('exists', `${phrase.exists}: ${id}`)
  }
}

/** No container has the id (the seed's ErrNotExist). */
export class ErrNotExist extends RuntimeError {
  override readonly name: string = 'ErrNotExist'

  /** `remains`: what of it is there all the same, which only delete --force removes. */
  constructor(id: string, remains?: string) {
    super('not-exist', `${phrase.notExist}: ${id}${remains ? `: ${remains}: delete the rest with --force` : ''}`)
  }
}

/** The container has no process any more. */
export class ErrNotRunning extends RuntimeError {
  override readonly name: string = 'ErrNotRunning'

  constructor(id: string) {
    super('not-running', `${phrase.notRunning}: ${id}`)
  }
}
