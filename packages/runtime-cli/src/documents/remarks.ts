/** What a document is checked against on this host, and what the log says of one that is accepted. */
import { hostHas } from '@crio-lxc/core/host/host-features'
import { log, takesDebug } from '@crio-lxc/core/host/log/logger'
import type { HostHas } from '@crio-lxc/core/oci/check-support'
import type { Resources } from '@crio-lxc/core/oci/resources'
import type { Process } from '@crio-lxc/core/oci/spec'
import { describeUnknownFields } from '@crio-lxc/core/oci/unknown-fields'
import { describeWithoutEffect } from '@crio-lxc/core/oci/without-effect'
import type { FeatureGates } from '../settings.ts'

/** Of fields that change nothing here. */
export function warnOf(process: Process | undefined, resources: Resources | undefined): void {
  for (const sentence of describeWithoutEffect(process, resources)) log.warn(sentence, { c: 'spec' })
}

/** A field that is misspelt is ignored like one of a later spec: whoever looks for it finds it here. */
export function sayWhatIsUnknown(document: object, name: string): void {
  const unknown = takesDebug() ? describeUnknownFields(document) : undefined
  if (unknown !== undefined) log.debug(`ignored the unknown fields of ${name}: ${unknown}`, { c: 'spec' })
}

/** A feature gate that is off asks nothing of the host: the field is ignored. */
export function supportOf({ apparmor }: FeatureGates): HostHas {
  return (feature) => (feature === 'AppArmor' && !apparmor) || hostHas(feature)
}
