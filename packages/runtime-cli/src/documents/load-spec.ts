/** config.json of a bundle. */
import { resolvePath } from '@crio-lxc/core/abi/path'
import { phaseLog } from '@crio-lxc/core/host/log/phase-log'
import { checkSupport } from '@crio-lxc/core/oci/check-support'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Spec } from '@crio-lxc/core/oci/spec'
import type { FeatureGates } from '../settings.ts'
import { withDestinationsInside } from '../sources/tree-source.ts'
import { readDocument } from './read-document.ts'
import { sayWhatIsUnknown, supportOf, warnOf } from './remarks.ts'

export interface LoadedSpec {
  readonly spec: Spec
  /** The file as it is: kept beside the container because the caller may change it after create. */
  readonly text: Uint8Array
}

/** BUNDLE/config.json, validated. */
export function loadSpec(bundle: string, featureGates: FeatureGates): LoadedSpec {
  const done = phaseLog('config')
  const text = readDocument(`${bundle}/config.json`, 'make one with `crio-lxc spec`, or give the right --bundle')
  done('read')
  return acceptSpec(text, bundle, featureGates)
}

/** The same of a text that somebody else has read. */
export function acceptSpec(text: Uint8Array, bundle: string, featureGates: FeatureGates): LoadedSpec {
  const done = phaseLog('config')
  const parsed = parseSpec(text)
  done('parse and validate')
  const spec = withDestinationsInside(parsed, resolvePath(bundle, parsed.root.path))
  checkSupport(spec, supportOf(featureGates))
  sayWhatIsUnknown(spec, `${bundle}/config.json`)
  warnOf(spec.process, spec.linux?.resources)
  done('check')
  return { spec, text }
}
