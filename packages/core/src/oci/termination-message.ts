/** Where Kubernetes reads why a container ended: an annotation of CRI-O's, and the file that the kubelet mounts there. */
import { normalizePath } from '../abi/path.ts'
import { isBind } from './bind-mounts.ts'
import type { Spec } from './spec.ts'

export const TERMINATION_MESSAGE_PATH = 'io.kubernetes.container.terminationMessagePath'

/** The mount of a file for the termination message. */
export interface TerminationMessageMount {
  /** In `mounts`. */
  readonly index: number
  /** In the container. */
  readonly path: string
}

/** Only a bind mount at the very path that the annotation names: nothing else of the container is written. */
export function terminationMessageMount({ annotations, mounts = [] }: Spec): TerminationMessageMount | undefined {
  const path = annotations?.[TERMINATION_MESSAGE_PATH]
  if (!path?.startsWith('/')) return undefined
  const at = normalizePath(path)
  const index = mounts.findLastIndex(({ destination }) => normalizePath(`/${destination}`) === at)
  const mount = mounts[index]
  return mount && isBind(mount) ? { index, path: at } : undefined
}
