/** The document of `update --resources`. */
import { hostHas } from '@crio-lxc/core/host/host-features'
import { checkResourcesSupport } from '@crio-lxc/core/oci/check-support'
import { parseResources } from '@crio-lxc/core/oci/parse-spec'
import type { Resources } from '@crio-lxc/core/oci/resources'
import { readInput, readStream } from './read-document.ts'
import { sayWhatIsUnknown, warnOf } from './remarks.ts'

/** The limits of `update --resources`, validated; `-` is standard input. */
export function loadResources(file: string): Resources {
  const name = file === '-' ? 'standard input' : file
  const resources = parseResources(file === '-' ? readInput() : readStream('--resources', file), name)
  checkResourcesSupport(resources, hostHas)
  sayWhatIsUnknown({ linux: { resources } }, name)
  warnOf(undefined, resources)
  return resources
}
