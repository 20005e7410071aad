/** The three questions about a document in order: are the types right, are the strings clean, do the rules hold. */
import { Process as processType, Resources as resourcesType, Spec as specType } from '../../generated/config-types.js'
import { SpecError } from '../errors/runtime-error.ts'
import { checkText } from './check-text.ts'
import { checkType, type Type } from './check-type.ts'
import { fieldOf, resolveParts } from './field-path.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'
import { checkProcessRules, checkSpecRules } from './spec-rules.ts'
import { withUser } from './with-defaults.ts'

/** What is required in words, for the fields where "required" alone would not help. */
const required: Readonly<Record<string, string>> = {
  ociVersion: 'the version of the OCI runtime-spec, for instance "1.3.0"',
  root: 'an object with the path of the root filesystem',
  process: 'an object with what to run in the container',
  'process.args': 'an array with the executable and its arguments',
  'process.cwd': 'the absolute path of the working directory',
}

/** Of the JSON text: whether a string may hold what `checkText` refuses. */
const unknownText = { controls: true }

/** The same value as a Spec. Throws a SpecError that names the first field that is wrong. */
export function validateSpec(value: object, { controls } = unknownText): Spec {
  const { process } = value as Partial<Spec>
  const filled = typeof process === 'object' ? { ...value, process: withUser(process) } : value
  checkTypes(specType, filled, '')
  const spec = filled as Spec
  if (controls) checkText(spec)
  checkSpecRules(spec)
  return spec
}

/** The same for the document of `exec --process`. */
export function validateProcess(value: object, { controls } = unknownText): Process {
  const filled = withUser(value)
  checkTypes(processType, filled, 'process')
  const process = filled as Process
  if (controls) checkText({ process })
  checkProcessRules(process)
  return process
}

/** The same for the document of `update --resources`. */
export function validateResources(value: object, { controls } = unknownText): Resources {
  checkTypes(resourcesType, value, 'linux.resources')
  const resources = value as Resources
  if (controls) checkText({ linux: { resources } })
  return resources
}

function checkTypes(type: Type, document: object, root: string): void {
  const problem = checkType(type, document)
  if (!problem) return
  const { at, missing, wanted = 'something else' } = problem
  const { path, value } = resolveParts(document, at, root)
  if (missing !== undefined) {
    const field = fieldOf(path, missing)
    throw new SpecError(field, required[field] === undefined ? 'required' : `required: ${required[field]}`)
  }
  throw new SpecError(path, `must be ${wanted}, got ${describe(value, wanted)}`)
}

/** Of a wrong type the type, else the value itself. */
function describe(value: unknown, wanted: string): string {
  const compare =
    typeof value === (wanted.startsWith('one of') ? 'string' : 'number') && !/^an? (?!integer)/.test(wanted)
  if (compare || typeof value === 'bigint')
    return shorten(typeof value === 'string' ? JSON.stringify(value) : `${value}`)
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
