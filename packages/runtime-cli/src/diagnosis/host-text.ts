import { decode } from '@crio-lxc/core/abi/bytes'
import { codeOf } from '@crio-lxc/core/errors/system-error'
import { readToEnd } from '@crio-lxc/core/sys/fd'
import { fstat, O_NOCTTY, O_NONBLOCK, O_RDONLY, readDirectory, withFile } from '@crio-lxc/core/sys/files'

/** More than any configuration has: what is there may be anything. */
const MAX_BYTES = 1 << 20

const missing = new Set(['ENOENT', 'ENOTDIR'])

/** The text of a file of the host; undefined when there is none, or what is there is no file. Nothing is waited for. */
export function hostText(path: string): string | undefined {
  return unlessThere(() =>
    withFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, (fd) =>
      fstat(fd).isFile() ? decode(readToEnd(fd, MAX_BYTES)) : undefined,
    ),
  )
}

/** The same without the line feed at its end; the empty text when there is none. */
export function hostLine(path: string): string {
  return hostText(path)?.trim() ?? ''
}

/** The paths of the files in a directory whose names end with `ending`, in their order; none without the directory. */
export function filesIn(directory: string, ending: string): string[] {
  const names = unlessThere(() => readDirectory(directory)) ?? []
  return names.filter((name) => name.endsWith(ending)).map((name) => `${directory}/${name}`)
}

function unlessThere<Result>(look: () => Result): Result | undefined {
  try {
    return look()
  } catch (error) {
    if (missing.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}
