/**
 * The stage of the package's own helpers: empty directories and links, which a tarball of npm cannot hold, so that the first
 * call makes them. An installed tree has them already.
 */

import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { STAGE_INIT, stageDirectories, stageLinks } from '@crio-lxc/core/plan/stage'
import { ownPid } from '@crio-lxc/core/sys/program'

/** Throws RuntimeError `io` when the directory cannot be written to. */
export function makeStage(libexec: string): void {
  const stage = `${libexec}/stage`
  if (existsSync(`${stage}/${STAGE_INIT}`)) return
  const unfinished = `${stage}.${ownPid()}`
  try {
    // Not to be read: the kernel then keeps it from being traced in a user namespace.
    chmodSync(`${libexec}/crio-lxc-init`, 0o111)
    makeDirectory(`${libexec}/lxc`)
    for (const name of ['.', ...stageDirectories]) makeDirectory(`${unfinished}/${name}`)
    for (const [path, target] of Object.entries(stageLinks)) symlinkSync(target, `${unfinished}/${path}`)
    linkSync(`${libexec}/crio-lxc-init`, `${unfinished}/${STAGE_INIT}`)
    renameSync(unfinished, stage)
  } catch (cause) {
    rmSync(unfinished, { recursive: true, force: true })
    // Another call was faster.
    if (['ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? '')) return
    throw new RuntimeError(
      'io',
      `make ${stage}: ${messageOf(cause)}: run this as root where the package may be written to, or name the libexec of an installed tree`,
      { cause },
    )
  }
}

/** For a root that is mapped to another uid, whatever the umask. */
function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
}
