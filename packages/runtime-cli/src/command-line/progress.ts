/** How far something is that takes long: one line of a terminal on standard error, which is gone when it is done. */
import { writeAll } from '@crio-lxc/core/sys/fd'

/** CSI K: to the end of the line. */
const ERASE = '\r\x1b[K'

/** Shows `3 of 40`; nothing any more when all are done. */
export function writeProgress(done: number, all: number): void {
  try {
    writeAll(2, done === all ? ERASE : `${ERASE}${done} of ${all}`)
  } catch {
    // A terminal that is gone keeps nothing from being done.
  }
}
