import { OCI_VERSION } from '@crio-lxc/core/oci/oci-version'
import manifest from '../package.json' with { type: 'json' }

/** The commit that was built, empty outside a git checkout; set by the bundler (scripts/built-commit.ts). */
declare const COMMIT: string | undefined
/** What the tags say of it, empty where a package builds without them (scripts/built-version.ts). */
declare const VERSION: string | undefined

/** The version of the package. */
export const version: string = manifest.version

/** What `--version` prints: go-runc and CRI-O read it line by line. Without a commit there is no line of it, as in runc. */
export function versionText(commit: string = builtCommit()): string {
  const lines = [`crio-lxc version ${builtVersion()}`, `spec: ${OCI_VERSION}`]
  if (commit !== '') lines.splice(1, 0, `commit: ${commit}`)
  return lines.map((line) => `${line}\n`).join('')
}

/** The same with what has been committed since its tag, or before it. */
export function builtVersion(): string {
  return (typeof VERSION === 'undefined' ? '' : VERSION) || version
}

export function builtCommit(): string {
  return typeof COMMIT === 'undefined' ? '' : COMMIT
}
