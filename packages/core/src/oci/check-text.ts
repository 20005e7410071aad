/**
 * No string of the spec may contain NUL, which would cut it short in every system call, and no newline where it could
 * become a line of a file (liblxc's configuration, mountinfo, a cgroup file) or of a terminal.
 */
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf, itemOf } from './field-path.ts'
import { support } from './support.ts'
import { walkFields } from './walk-fields.ts'

/** Where a newline is the user's business; of hooks only these two fields. */
const freeText =
  /^(?:process\.(?:args|env)|annotations|linux\.seccomp\.listenerMetadata|linux\.intelRdt\.(?:l3CacheSchema|memBwSchema)|hooks\.\w+\[\d+\]\.(?:args|env))(?:\[|\.|$)/

/** NUL, line feed and carriage return. */
const suspect = /[\0\r\n]/

/** How a string of a JSON text that `parseJson` takes holds them: the last is part of three, `\u000D` for one. */
const escapes = ['\\n', '\\r', '\\u000']

/** False when no string of a JSON text holds any of them, which is quicker to see in the text. */
export function mayHoldControls(source: string): boolean {
  return escapes.some((text) => source.includes(text))
}

/** Throws a SpecError that names the first string (or key of a map) with a character that is refused there. */
export function checkText(document: object): void {
  walkFields(document, support, '', (value, _leaf, parent, name) => {
    if (isSuspect(value)) checkValue(value, fieldOf(parent, name))
  })
}

/** Without a path, because nearly every value is clean. */
function isSuspect(value: unknown): boolean {
  if (typeof value === 'string') return suspect.test(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(isSuspect)
  return Object.entries(value).some(([name, member]) => suspect.test(name) || isSuspect(member))
}

function checkValue(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || (suspect.test(value) && !freeText.test(path))) refuse(value, path)
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkValue(item, itemOf(path, index))
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (suspect.test(name)) refuse(name, fieldOf(path, name))
      checkValue(member, fieldOf(path, name))
    }
  }
}

function refuse(text: string, path: string): never {
  throw new SpecError(path, `contains a ${text.includes('\0') ? 'NUL character' : 'line break'}`)
}
