/** `linux.resources.pids.limit` 0, which changed its meaning. PURE. */
import type { Resources } from './resources.ts'

/** The first version to which 0 is a limit; to those before it is none ("default is no limit"), as -1 is to all. */
const [major, minor] = [1, 3]

/**
 * The resources as a document of `ociVersion` means them. podman until 5.4 writes 0 for its `--pids-limit -1`, CRI-O
 * until 1.28 when nobody asked for a limit: taken for a limit it keeps the container from forking at all. update takes 0 so too, for
 * podman's "update --pids-limit 0" means it; runc before 1.4 leaves the limit as it was.
 */
export function withPidsOfVersion(resources: Resources, ociVersion: string): Resources {
  if (resources.pids?.limit !== 0 || !isBefore(ociVersion)) return resources
  return { ...resources, pids: { ...resources.pids, limit: -1 } }
}

function isBefore(ociVersion: string): boolean {
  const [itsMajor = 0, itsMinor = 0] = ociVersion.split('.').map(Number)
  return itsMajor < major || (itsMajor === major && itsMinor < minor)
}
