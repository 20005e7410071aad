import { closeSync, openSync, writeSync } from 'node:fs'
import { RuntimeError } from '../errors/runtime-error.ts'
import { reasonOf } from '../errors/system-error.ts'

/** Appends whole lines to a file with one write(2) each, so that lines of several processes do not mix. */
export interface LogFile {
  append(line: string): void
  close(): void
}

const descriptors = new Set<number>()

/** Whether `fd` is a log file of this process. */
export function isLogFile(fd: number): boolean {
  return descriptors.has(fd)
}

/** Opens `path` for appending, creates it with mode 0640. Throws RuntimeError naming `option` when it cannot. */
export function openLogFile(path: string, option: string): LogFile {
  const fd = open(path, option)
  descriptors.add(fd)
  return {
    append(line) {
      try {
        writeSync(fd, line)
      } catch {
        // A full disk or a reader that is gone must not break a command that works.
      }
    },
    close() {
      descriptors.delete(fd)
      closeSync(fd)
    },
  }
}

function open(path: string, option: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new RuntimeError('io', `open ${option} ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
