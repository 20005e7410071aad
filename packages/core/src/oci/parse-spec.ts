/** From the text of config.json, or of another document that callers hand over, to a value of its type. */
import { SpecError } from '../errors/runtime-error.ts'
import { mayHoldControls } from './check-text.ts'
import { decodeUtf8, parseJson } from './json.ts'
import { withPidsOfVersion } from './pids-limit.ts'
import type { Resources } from './resources.ts'
import type { Process, Spec } from './spec.ts'
import { validateProcess, validateResources, validateSpec } from './validate-spec.ts'

/** Bytes that a caller should read at most; a container engine writes tens of kilobytes. */
export const MAX_SPEC_BYTES = 16 * 1024 * 1024

/**
 * config.json. Throws a SpecError that names the field, or the line and column where the text is not JSON. Whether the
 * runtime does all that the spec asks for is `checkSupport`'s question.
 */
export function parseSpec(text: string | Uint8Array): Spec {
  const spec = parse(text, 'config.json', validateSpec)
  const { linux, ociVersion } = spec
  if (!linux?.resources) return spec
  return { ...spec, linux: { ...linux, resources: withPidsOfVersion(linux.resources, ociVersion) } }
}

/** The process.json of `exec --process`; errors name its fields as `process.*`. */
export function parseProcess(text: string | Uint8Array, name = 'process.json'): Process {
  return parse(text, name, validateProcess)
}

/** The document of `update --resources`; errors name its fields as `linux.resources.*`. */
export function parseResources(text: string | Uint8Array, name = 'resources.json'): Resources {
  return parse(text, name, validateResources)
}

type Validate<T> = (value: object, text: { readonly controls: boolean }) => T

function parse<T>(text: string | Uint8Array, file: string, validate: Validate<T>): T {
  const source = typeof text === 'string' ? text : decodeUtf8(text, file)
  const value = parseJson(source, file)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return validate(value, { controls: mayHoldControls(source) })
  throw new SpecError(file, 'must be a JSON object')
}
