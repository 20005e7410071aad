import { fileURLToPath } from 'node:url'

/** Where the package's own helpers are; beside the bundled module, which this is a part of. */
export function packageLibexec(): string {
  return fileURLToPath(new URL('./libexec/crio-lxc', import.meta.url))
}
