/** The caller of an embedded runtime has given up. It learns of that by its own AbortSignal. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted'

  constructor() {
    super('the caller has given up')
  }
}
