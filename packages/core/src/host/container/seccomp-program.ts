/**
 * The filter of linux.seccomp beside config.json, as create has compiled it: a usual profile takes libseccomp longer than
 * the rest of exec takes, and processes that join the container are to have the very filter that it has.
 */
import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import type { Seccomp } from '../../oci/linux.ts'
import { isProgramLength } from '../../seccomp/cache-entry.ts'
import { filterFlags, notifies } from '../../seccomp/filter.ts'
import { writeFile } from '../../sys/files.ts'
import { type CompiledSeccomp, compileSeccomp } from '../../sys/seccomp.ts'
import { REMEDY, readOwnBytes } from './json-file.ts'

export const SECCOMP_FILE = 'seccomp.bpf'

/** Writes it into the runtime directory, mode 0600. Throws RuntimeError `io`. */
export function keepSeccomp(directory: string, { program }: CompiledSeccomp): void {
  const path = `${directory}/${SECCOMP_FILE}`
  try {
    writeFile(path, program, { mode: 0o600 })
  } catch (cause) {
    throw new RuntimeError('io', `write ${path}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * The filter of a container, whose linux.seccomp is given; compiled once more when the version that created it kept none.
 * Throws RuntimeError `io` when the file cannot be what create wrote.
 */
export function keptSeccomp(directory: string, seccomp: Seccomp): CompiledSeccomp {
  const path = `${directory}/${SECCOMP_FILE}`
  const program = readOwnBytes(path)
  if (program === undefined) return compileSeccomp(seccomp)
  if (!isProgramLength(program.length)) throw new RuntimeError('io', `read ${path}: it is no seccomp filter: ${REMEDY}`)
  return { program, flags: filterFlags(seccomp), notifies: notifies(seccomp) }
}
