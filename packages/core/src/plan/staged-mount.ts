/**
 * How mounts of the host come into a user namespace: by way of the monitor's mount namespace. liblxc copies that for the
 * container, and only such a copy has its flags locked (mount_namespaces(7), "Restrictions on mount namespaces"): what
 * the host or config.json made read-only, nosuid or nodev stays so even for a root of the namespace with CAP_SYS_ADMIN.
 * The launch plan attaches them below the stage, and the container plan fetches the copies (docs/adr/0010).
 */
export interface StagedMount {
  /** A detached mount; in init the same number becomes a detached copy of it. */
  readonly fd: number
  readonly directory: boolean
  /** MS_SHARED and its kin with MS_REC, for the copy in this order: below the stage it is shared and the host's slave. */
  readonly propagation: readonly number[]
  /** A file in the staged mount `of` (its place in the list), instead of a mount of its own. */
  readonly file?: { readonly of: number; readonly name: string }
}
