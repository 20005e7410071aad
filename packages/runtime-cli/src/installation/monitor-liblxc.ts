/** The liblxc that runs containers, which crio-lxc-start alone is linked with. */
import { apiExtensions } from '@crio-lxc/core/liblxc/api-extensions'
import { capture } from '@crio-lxc/core/sys/capture'
import type { Settings } from '../settings.ts'
import { programsOf } from './programs.ts'

export interface Liblxc {
  /** "5.0.2" */
  readonly version: string
  /** Names of lxc_has_api_extension(3), as far as they are known here. */
  readonly extensions: readonly string[]
}

/** undefined when crio-lxc-start is not there, or cannot be loaded. */
export function monitorLiblxc(settings: Settings): Liblxc | undefined {
  const { monitor } = programsOf(settings)
  try {
    const { exit, stdout } = capture({ path: monitor, args: [monitor, '--version', ...apiExtensions], env: [] })
    const [first = '', ...extensions] = stdout.trimEnd().split('\n')
    const version = /^liblxc (\S+)$/.exec(first)?.[1]
    return exit === 0 && version !== undefined ? { version, extensions } : undefined
  } catch {
    return undefined
  }
}
