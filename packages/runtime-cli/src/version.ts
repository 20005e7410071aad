import { OCI_VERSION } from '@crio-lxc/core/oci/oci-version'
import manifest from '../package.json' with { type: 'json' }

/** The commit that was built; set by the bundler. */
declare const COMMIT: string | undefined

/** What `--version` prints: go-runc and CRI-O read it line by line. */
export function versionText(): string {
  const commit = typeof COMMIT === 'undefined' ? 'unknown' : COMMIT
  return `crio-lxc version ${manifest.version}\ncommit: ${commit}\nspec: ${OCI_VERSION}\n`
}
