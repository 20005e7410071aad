import type { Process } from '@crio-lxc/core/oci/spec'

/** What exec is asked for beside the container. */
export interface ExecOptions {
  /** In place of what the flags below describe, which then only add the terminal; validated (documents/load-process.ts). */
  readonly process?: Process
  readonly args: readonly string[]
  /** uid[:gid] */
  readonly user?: string
  readonly cwd?: string
  readonly env: readonly string[]
  readonly tty: boolean
  readonly detach: boolean
  /** Enter a paused container too: the process begins when it is resumed. */
  readonly ignorePaused?: boolean
  readonly pidFile?: string
  readonly consoleSocket?: string
  /** Path of the unix socket that takes a pidfd of the process. */
  readonly pidfdSocket?: string
  readonly preserveFds?: number
  readonly additionalGids: readonly number[]
  readonly caps: readonly string[]
  readonly noNewPrivs?: boolean
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
  /** Cgroups below the container's: PATH, or CONTROLLER[,CONTROLLER]:PATH for hierarchies of v1. */
  readonly cgroups?: readonly string[]
}
