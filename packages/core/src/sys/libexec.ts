/**
 * Where the companions of the programs are: PREFIX/libexec/crio-lxc. It follows from the running program's own
 * file, never from the environment, $PATH or the working directory, which the caller or the bundle controls.
 */
import { dirname, resolve } from 'node:path'

/** Set by the bundler; the sources, as the tests run them, use the tree that was built last. */
declare const BUNDLED: true | undefined

/** The absolute path of libexec/crio-lxc for the running program. */
export function libexecDir(): string {
  // Modules of a native executable have addresses inside it; execPath is /proc/self/exe with links resolved.
  if (import.meta.url.startsWith('file:///$bunfs/')) {
    const dir = dirname(process.execPath)
    return process.execPath.endsWith('/crio-lxc-hook') ? dir : resolve(dir, '../libexec/crio-lxc')
  }
  return resolve(
    import.meta.dirname,
    typeof BUNDLED === 'undefined' ? '../../../../dist/libexec/crio-lxc' : '../../libexec/crio-lxc',
  )
}
