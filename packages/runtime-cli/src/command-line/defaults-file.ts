/**
 * The defaults file, /etc/default/crio-lxc: variables for callers that hand none on, such as CRI-O. Lines of KEY=VALUE, as systemd's
 * EnvironmentFile= has them: `#` begins a comment line, quotes may stand around a value. Nothing is expanded.
 */

import { decode } from '@crio-lxc/core/abi/bytes'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { readToEnd } from '@crio-lxc/core/sys/fd'
import { fstat, O_NOCTTY, O_NONBLOCK, O_RDONLY, withFile } from '@crio-lxc/core/sys/files'
import { effectiveUid } from '@crio-lxc/core/sys/program'
import { type DefaultsFile, toLogConfiguration, toSettings } from './configuration.ts'
import { knowsVariable } from './global-options.ts'

const MAX_BYTES = 65_536
/** Whoever may write here decides which programs root runs. */
const WRITABLE_BY_OTHERS = 0o022

export function readDefaultsFile(path: string): DefaultsFile {
  try {
    const { variables, problems } = parseDefaults(path, safeText(path))
    const unknown = Object.keys(variables).filter((name) => !knowsVariable(name))
    const refused = problems[0] ?? refusedValue({ path, variables, unknown, problems })
    return refused === undefined
      ? { path, variables, unknown, problems }
      : { path, variables: {}, unknown, problems: [refused] }
  } catch (error) {
    const cause = error instanceof RuntimeError && error.code === 'usage' ? error.message : reasonOf(error)
    return { path, variables: {}, unknown: [], problems: [`read the defaults file ${path}: ${cause}`] }
  }
}

/** Why a value is not accepted, whatever the flags and the environment would put in its place. */
function refusedValue(file: DefaultsFile): string | undefined {
  try {
    const given = { values: {}, env: {}, file }
    toLogConfiguration(given)
    toSettings(given)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Throws RuntimeError `usage` for a file that others than root could have written. */
function safeText(path: string): string {
  return withFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, (fd) => {
    const status = fstat(fd)
    const refuse = (cause: string): RuntimeError => new RuntimeError('usage', cause)
    if (!status.isFile()) throw refuse('it is no regular file')
    if (status.uid !== 0 && status.uid !== effectiveUid())
      throw refuse(`it belongs to user ${status.uid}, who could change it: chown root ${path}`)
    if (status.mode & WRITABLE_BY_OTHERS) throw refuse(`others may write to it: chmod go-w ${path}`)
    const bytes = readToEnd(fd, MAX_BYTES + 1)
    if (bytes.length > MAX_BYTES) throw refuse(`it is longer than ${MAX_BYTES} bytes`)
    return decode(bytes)
  })
}

/** PURE. `path` is for the sentences alone. */
export function parseDefaults(path: string, text: string): Pick<DefaultsFile, 'variables' | 'problems'> {
  const variables: Record<string, string> = {}
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(trimmed) ?? []
    const unquoted = value === undefined ? undefined : unquote(value)
    if (name === undefined || unquoted === undefined)
      problems.push(`${path}, line ${index + 1}: want KEY=VALUE, with both quotes or none`)
    else variables[name] = unquoted
  }
  return { variables, problems }
}

/** undefined when quotes do not match. */
function unquote(value: string): string | undefined {
  const [, quote = '', inner = value] = /^(["'])(.*)\1$/.exec(value) ?? []
  const odd = quote === '' ? /["']/ : new RegExp(quote)
  return odd.test(inner) ? undefined : inner
}
