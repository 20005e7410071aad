/** A program run for its output. */
import { decode } from '../abi/bytes.ts'
import { close, read } from './fd.ts'
import { fstat } from './files.ts'
import { memfdCreate } from './memfd.ts'
import { exitCode, type SpawnOptions, spawn, wait } from './spawn.ts'

export interface Captured {
  /** As a shell counts it: 128 + n for signal n. */
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** Both outputs are files in memory: whatever the program writes first, nothing waits for a reader. */
export function capture(options: Omit<SpawnOptions, 'fds' | 'stdout' | 'stderr'>): Captured {
  const [stdout, stderr] = [memfdCreate('stdout'), memfdCreate('stderr')]
  try {
    const exit = exitCode(wait(spawn({ ...options, fds: [], stdout, stderr })))
    return { exit, stdout: contentOf(stdout), stderr: contentOf(stderr) }
  } finally {
    close(stdout)
    close(stderr)
  }
}

function contentOf(file: number): string {
  const bytes = new Uint8Array(fstat(file).size)
  let length = 0
  while (length < bytes.length) {
    const count = read(file, bytes.subarray(length), length)
    if (count === 0) break
    length += count
  }
  return decode(bytes.subarray(0, length))
}
