/** The document of `exec --process`. */
import { checkProcessSupport } from '@crio-lxc/core/oci/check-support'
import { parseProcess } from '@crio-lxc/core/oci/parse-spec'
import type { Process } from '@crio-lxc/core/oci/spec'
import type { FeatureGates } from '../settings.ts'
import { readStream } from './read-document.ts'
import { sayWhatIsUnknown, supportOf, warnOf } from './remarks.ts'

/** The process of `exec --process`, validated. */
export function loadProcess(file: string, featureGates: FeatureGates): Process {
  return acceptProcess(readStream('--process', file), file, featureGates)
}

/** The same of a text that is called `name`. */
export function acceptProcess(text: string | Uint8Array, name: string, featureGates: FeatureGates): Process {
  const process = parseProcess(text, name)
  checkProcessSupport(process, supportOf(featureGates))
  sayWhatIsUnknown({ process }, name)
  warnOf(process, undefined)
  return process
}
