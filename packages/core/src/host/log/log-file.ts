import { RuntimeError } from '../../errors/runtime-error.ts'
import { codeOf, reasonOf } from '../../errors/system-error.ts'
import { close, type Fd, write } from '../../sys/fd.ts'
import { fstat, O_APPEND, O_CREAT, O_WRONLY, openFile } from '../../sys/files.ts'

/** Appends whole lines to a file with one write(2) each, so that lines of several processes do not mix. */
export interface LogFile {
  append(line: string): void
  isEmpty(): boolean
  close(): void
}

/** Those of this process, and those of its sockets that lines go to. */
export const descriptors = new Set<number>()

/** Whether `fd` is a log file of this process. */
export function isLogFile(fd: number): boolean {
  return descriptors.has(fd)
}

/** Opens `path` for appending, creates it with mode 0640. Throws RuntimeError naming `option` when it cannot. */
export function openLogFile(path: string, option: string): LogFile {
  const fd = openFor(path, option)
  descriptors.add(fd)
  return {
    append(line) {
      try {
        write(fd, line)
      } catch {
        // A full disk or a reader that is gone must not break a command that works.
      }
    },
    isEmpty: () => fstat(fd).size === 0,
    close() {
      descriptors.delete(fd)
      close(fd)
    },
  }
}

function openFor(path: string, option: string): Fd {
  try {
    return openFile(path, O_WRONLY | O_CREAT | O_APPEND, 0o640)
  } catch (error) {
    const advice = codeOf(error) === 'ENOENT' ? ': make its directory first' : ''
    throw new RuntimeError('io', `open ${option} ${path}: ${reasonOf(error)}${advice}`, { cause: error })
  }
}
