import { O_NOCTTY, O_RDONLY } from '@crio-lxc/core/abi/constants'
import { resolvePath } from '@crio-lxc/core/abi/path'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { hostHas } from '@crio-lxc/core/host/host-features'
import { log, takesDebug } from '@crio-lxc/core/log/logger'
import { stepLog } from '@crio-lxc/core/log/step-log'
import {
  checkProcessSupport,
  checkResourcesSupport,
  checkSupport,
  type HostHas,
} from '@crio-lxc/core/oci/check-support'
import { MAX_SPEC_BYTES, parseProcess, parseResources, parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Resources } from '@crio-lxc/core/oci/resources'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { describeUnknownFields } from '@crio-lxc/core/oci/unknown-fields'
import { describeWithoutEffect } from '@crio-lxc/core/oci/without-effect'
import { close, readToEnd } from '@crio-lxc/core/sys/fd'
import { fstat, openFile } from '@crio-lxc/core/sys/files'
import type { FeatureGates } from '../settings.ts'
import { withDestinationsInside } from '../sources/tree-source.ts'

export interface LoadedSpec {
  readonly spec: Spec
  /** The file as it is: kept beside the container because the caller may change it after create. */
  readonly text: Uint8Array
}

/** BUNDLE/config.json, validated. */
export function loadSpec(bundle: string, gates: FeatureGates): LoadedSpec {
  const done = stepLog('config')
  const text = readDocument(`${bundle}/config.json`, 'make one with `crio-lxc spec`, or give the right --bundle')
  done('read')
  return acceptSpec(text, bundle, gates)
}

/** The same of a text that somebody else has read. */
export function acceptSpec(text: Uint8Array, bundle: string, gates: FeatureGates): LoadedSpec {
  const done = stepLog('config')
  const parsed = parseSpec(text)
  done('parse and validate')
  const spec = withDestinationsInside(parsed, resolvePath(bundle, parsed.root.path))
  checkSupport(spec, supportOf(gates))
  sayWhatIsUnknown(spec, `${bundle}/config.json`)
  warnOf(spec.process, spec.linux?.resources)
  done('check')
  return { spec, text }
}

/** The process of `exec --process`, validated. */
export function loadProcess(file: string, gates: FeatureGates): Process {
  return acceptProcess(readStream('--process', file), file, gates)
}

/** The same of a text that is called `name`. */
export function acceptProcess(text: string | Uint8Array, name: string, gates: FeatureGates): Process {
  const process = parseProcess(text)
  checkProcessSupport(process, supportOf(gates))
  sayWhatIsUnknown({ process }, name)
  warnOf(process, undefined)
  return process
}

/** The limits of `update --resources`, validated; `-` is standard input. */
export function loadResources(file: string): Resources {
  const resources = parseResources(file === '-' ? readInput() : readStream('--resources', file))
  checkResourcesSupport(resources, hostHas)
  sayWhatIsUnknown({ linux: { resources } }, file === '-' ? 'standard input' : file)
  warnOf(undefined, resources)
  return resources
}

function warnOf(process: Process | undefined, resources: Resources | undefined): void {
  for (const sentence of describeWithoutEffect(process, resources)) log.warn(sentence, { c: 'spec' })
}

/** A field that is misspelt is ignored like one of a later spec: whoever looks for it finds it here. */
function sayWhatIsUnknown(document: object, name: string): void {
  const unknown = takesDebug() ? describeUnknownFields(document) : undefined
  if (unknown !== undefined) log.debug(`ignored the unknown fields of ${name}: ${unknown}`, { c: 'spec' })
}

/** Of a caller that may write it to a pipe while exec runs: waited for, as a regular file is not. */
function readStream(option: string, path: string): Uint8Array {
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

function readInput(): Uint8Array {
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

/** A gate that is off asks nothing of the host: the field is ignored. */
function supportOf({ apparmor }: FeatureGates): HostHas {
  return (feature) => (feature === 'AppArmor' && !apparmor) || hostHas(feature)
}

/** A JSON document of a caller's: a regular file of at most 16 MiB, so that nothing blocks or fills the memory. */
function readDocument(path: string, whenMissing?: string): Uint8Array {
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
