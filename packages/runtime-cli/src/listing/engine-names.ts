import type { State } from '@crio-lxc/core/oci/state'

/** Annotations by which engines tell what a container is: CRI-O's, containerd's, and those of podman's Kubernetes pods. */
const sources = {
  pod: ['io.kubernetes.pod.name', 'io.kubernetes.cri.sandbox-name'],
  namespace: ['io.kubernetes.pod.namespace', 'io.kubernetes.cri.sandbox-namespace'],
  name: ['io.kubernetes.container.name', 'io.kubernetes.cri.container-name', 'io.kubernetes.cri-o.Name'],
  image: ['io.kubernetes.cri-o.ImageName', 'io.kubernetes.cri.image-name', 'org.opencontainers.image.base.name'],
  manager: ['io.container.manager'],
} as const

/** What an engine has said, in the first of its annotations that says something. PURE. */
export function engineName({ annotations = {} }: State, what: keyof typeof sources): string | undefined {
  return sources[what].map((name) => (Object.hasOwn(annotations, name) ? annotations[name] : undefined)).find(Boolean)
}
