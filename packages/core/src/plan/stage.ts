/**
 * The stage: a constant directory that liblxc takes for every container's rootfs. The names in it, for the planners, for what
 * makes it and for what looks whether it is whole.
 */

/** crio-lxc-init, which liblxc executes. */
export const STAGE_INIT = 'init'
/** Where the container's rootfs is attached, or the host's tree while the hooks of create run. */
export const STAGE_ROOT = 'root'
/** Where the tmpfs of own-nodes.ts is mounted. */
export const STAGE_NODES = 'mask'
/** Where the launch plan attaches mounts of the host for a user namespace, each under its place in their list. */
export const STAGE_MOUNTS = 'host'

/** All of them empty: mount points. */
export const stageDirectories: readonly string[] = [STAGE_ROOT, 'proc', 'sys', 'dev', STAGE_NODES, STAGE_MOUNTS]

/** What liblxc would make itself, in a stage that is read-only. */
export const stageLinks: Readonly<Record<string, string>> = {
  'dev/fd': '/proc/self/fd',
  'dev/stdin': '/proc/self/fd/0',
  'dev/stdout': '/proc/self/fd/1',
  'dev/stderr': '/proc/self/fd/2',
}
