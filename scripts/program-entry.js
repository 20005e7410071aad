/**
 * The one executable behind dist/bin/crio-lxc and dist/libexec/crio-lxc/crio-lxc-hook: the engine is most of its
 * size, so both programs share it through a hard link. The file's own name decides, not argv[0], which the caller
 * chooses freely.
 */
if (process.execPath.endsWith('/crio-lxc-hook')) {
  await import('../packages/hook/dist/crio-lxc-hook.js')
} else {
  await import('../packages/runtime-cli/dist/crio-lxc.js')
}
