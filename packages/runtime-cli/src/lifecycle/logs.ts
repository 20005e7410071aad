/** logs: the operators' log for a person. */
import { decode } from '@crio-lxc/core/abi/bytes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { read } from '@crio-lxc/core/sys/fd'
import { fileExists, fstat, O_NOCTTY, O_NONBLOCK, O_RDONLY, withFile } from '@crio-lxc/core/sys/files'
import { type LogEntry, parseEntries } from '../diagnosis/log-entries.ts'

export { logText } from '../diagnosis/log-entries.ts'

/** Of each file, its last bytes: a log that nobody rotates is not held in memory. */
const MAX_BYTES = 16 << 20

/** The lines of the log and of the one before it, as logrotate(8) names it; of `id` alone when given. Throws RuntimeError. */
export function readLog(path: string, id: string | undefined, last = Number.POSITIVE_INFINITY): readonly LogEntry[] {
  const before = `${path}.1`
  // Between a rotation and the next verb there is only the one before.
  const files = [before, path].filter((file) => fileExists(file))
  const text = (files.length === 0 ? [path] : files).map(tailOf).join('')
  const entries = parseEntries(text).filter(({ cid }) => id === undefined || cid === id)
  return last === 0 ? [] : entries.slice(-Math.min(last, entries.length))
}

/** Whole lines only. */
function tailOf(path: string): string {
  try {
    return withFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, (fd) => {
      const status = fstat(fd)
      if (!status.isFile()) throw new Error('it is no file')
      const from = Math.max(0, status.size - MAX_BYTES)
      const text = decode(readFrom(fd, from, status.size - from))
      return from === 0 ? text : text.slice(text.indexOf('\n') + 1)
    })
  } catch (cause) {
    const advice = codeOf(cause) === 'ENOENT' ? ': no verb has written there yet, or --log-file is to name another' : ''
    throw new RuntimeError('io', `read the log ${path}: ${reasonOf(cause)}${advice}`, { cause })
  }
}

function readFrom(fd: number, from: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const count = read(fd, bytes.subarray(length), from + length)
    if (count === 0) break
    length += count
  }
  return bytes.subarray(0, length)
}
