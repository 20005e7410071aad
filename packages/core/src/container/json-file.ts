/** JSON files of the runtime directory: written whole or not at all. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { messageOf, RuntimeError } from '../errors/runtime-error.ts'

/** The value in the JSON file `path`. Throws RuntimeError `io` when it is missing, empty, truncated or not JSON. */
export function decodeFileJSON(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RuntimeError('io', `read ${path}: ${messageOf(cause)}`, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    const problem = text === '' ? 'it is empty' : messageOf(cause)
    throw new RuntimeError('io', `decode ${path}: ${problem}: delete the container with --force`, { cause })
  }
}

/** Mode 0600; the rename makes the new content appear at once. */
export function encodeFileJSON(path: string, value: unknown): void {
  replaceFile(path, `${JSON.stringify(value)}\n`, 0o600)
}

/** Writes the decimal pid and nothing else (containerd reads the whole file with Atoi), mode 0644, atomically. */
export function createPidFile(path: string, pid: number): void {
  try {
    replaceFile(path, String(pid), 0o644)
  } catch (cause) {
    throw new RuntimeError('io', `write the pid file ${path}: ${messageOf(cause)}`, { cause })
  }
}

function replaceFile(path: string, text: string, mode: number): void {
  // The pid makes the name this process's own, so a crash leaves nothing that a retry would stumble over.
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}
