/** Documents of a caller's, of at most 16 MiB, so that none fills the memory. */
import { O_NOCTTY, O_RDONLY } from '@crio-lxc/core/abi/constants'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { MAX_SPEC_BYTES } from '@crio-lxc/core/oci/parse-spec'
import { close, readToEnd } from '@crio-lxc/core/sys/fd'
import { fstat, openFile } from '@crio-lxc/core/sys/files'

/** Of a regular file, so that nothing blocks. Throws RuntimeError `io`. */
export function readDocument(path: string, whenMissing?: string): Uint8Array {
  try {
    // O_NONBLOCK: a fifo in the place of the file must not hold the runtime.
    const fd = openFile(path, 0o4000)
    try {
      const stat = fstat(fd)
      if (!stat.isFile()) throw new Error('it is not a regular file')
      if (stat.size > MAX_SPEC_BYTES) throw new Error(`it has ${stat.size} bytes, more than ${MAX_SPEC_BYTES}`)
      return readToEnd(fd, stat.size, stat.size)
    } finally {
      close(fd)
    }
  } catch (cause) {
    const missing = ['ENOENT', 'ENOTDIR'].includes(codeOf(cause) ?? '')
    const problem = reasonOf(cause)
    const advice = missing && whenMissing ? `: ${whenMissing}` : ''
    throw new RuntimeError('io', `read ${path}: ${problem}${advice}`, { cause })
  }
}

/** Of a caller that may write it to a pipe while exec runs: waited for, as a regular file is not. */
export function readStream(option: string, path: string): Uint8Array {
  try {
    const fd = openFile(path, O_RDONLY | O_NOCTTY)
    try {
      return readBounded(fd)
    } finally {
      close(fd)
    }
  } catch (cause) {
    throw new RuntimeError('io', `read ${option} ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** `update --resources -`. */
export function readInput(): Uint8Array {
  try {
    return readBounded(0)
  } catch (cause) {
    throw new RuntimeError('io', `read the resources from standard input: ${reasonOf(cause)}`, { cause })
  }
}

/** All that comes, of which nobody says before how much it is; throws Error beyond what a document may have. */
function readBounded(fd: number): Uint8Array {
  const bytes = readToEnd(fd, MAX_SPEC_BYTES + 1)
  if (bytes.length > MAX_SPEC_BYTES) throw new Error(`it has more than ${MAX_SPEC_BYTES} bytes`)
  return bytes
}
