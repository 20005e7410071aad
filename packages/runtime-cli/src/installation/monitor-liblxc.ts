/** The liblxc that runs containers. crio-lxc-start alone is linked with it, and is asked here for all who want to know. */

import { reasonOf } from '@crio-lxc/core/errors/system-error'
import { apiExtensions } from '@crio-lxc/core/liblxc/api-extensions'
import { capture } from '@crio-lxc/core/sys/capture'

export interface Liblxc {
  /** "5.0.2"; undefined of a program of the operator's that does not say it. */
  readonly version: string | undefined
  /** Names of lxc_has_api_extension(3), as far as they are known here. */
  readonly extensions: readonly string[]
  /** One sentence that says why no container can be made with it, and what to do. */
  readonly problem?: string
}

const OLDEST = 5
const INSTALL = 'install liblxc 5.0 or newer (Debian 12: liblxc1, Debian 13: liblxc1t64)'

/** `start` is the path of crio-lxc-start, or of what the settings name in its place. */
export function monitorLiblxc(start: string): Liblxc {
  const asked = ask(start)
  if ('problem' in asked) return { version: undefined, extensions: [], problem: asked.problem }
  const [first = '', ...extensions] = asked.answer.trimEnd().split('\n')
  const version = /^liblxc (\S+)$/.exec(first)?.[1]
  if (version === undefined) return { version, extensions: [] }
  if (Number.parseInt(version, 10) >= OLDEST) return { version, extensions }
  return { version, extensions, problem: `the liblxc of this host is ${version}: ${INSTALL}` }
}

function ask(start: string): { readonly answer: string } | { readonly problem: string } {
  try {
    const { exit, stdout, stderr } = capture({ path: start, args: [start, '--version', ...apiExtensions], env: [] })
    // A library that has not the version which is asked for ends the loader with 1.
    if (exit !== 127 && !lacksVersion.test(stderr)) return { answer: exit === 0 ? stdout : '' }
    const reason = loaderReason(stderr)
    return { problem: `${start} cannot be loaded: ${reason}: ${loaderAdvice(reason)}` }
  } catch (error) {
    return { problem: `execute ${start}: ${reasonOf(error)}: install the whole tree again` }
  }
}

const lacksVersion = /: version `\S+' not found/

/** ld.so(8): `PROGRAM: error while loading shared libraries: NAME: REASON`, or `symbol lookup error: PROGRAM: ...`. */
function loaderReason(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? ''
  return line.replace(/^.*?(?:error while loading shared libraries|symbol lookup error): /, '')
}

/** The library at fault may be one that liblxc needs, or the C library. */
function loaderAdvice(reason: string): string {
  if (/liblxc|symbol: lxc_/.test(reason)) return INSTALL
  if (/version `GLIBC_/.test(reason))
    return 'install a tree that was built with the C library of this host, or with an older one'
  return 'install the package of that library again'
}
