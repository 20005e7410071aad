import { absolutePath } from '@crio-lxc/core/sys/program'
import { type CallOptions, type RuntimeOptions, settingsOf } from './options.ts'
import { packageLibexec } from './package-libexec.ts'
import type { Plans } from './plans.ts'
import { inThread } from './thread.ts'

/**
 * Everything that create would do with a bundle, as data: the liblxc config, the writes to cgroups, every system call of the
 * container's set-up. Nothing is made; the bundle's sources are opened to see that they can be. Asynchronous.
 */
export function planAll(bundle: string, options: RuntimeOptions & CallOptions = {}): Promise<Plans> {
  const { signal, ...runtime } = options
  const libexec = runtime.libexec === undefined ? packageLibexec() : absolutePath(runtime.libexec)
  return inThread('planAll', [settingsOf(runtime), 'ID', absolutePath(bundle)], { libexec, log: undefined, signal })
}
