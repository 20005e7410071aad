import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, release } from 'node:os'

/** The machine in the words that a reader of the numbers needs: processors, kernel, cgroup layout, what is measured. */
export function describeMachine(programs: readonly string[]): string[] {
  const layout = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? 'cgroup v2'
    : existsSync(unified)
      ? 'hybrid cgroups'
      : 'cgroup v1'
  return [`${cpus().length} × ${cpus()[0]?.model.trim()}`, `Linux ${release()}`, layout, ...programs.map(versionOf)]
}

/** The first line of `--version`; throws when the program does not run. */
export function versionOf(program: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} does not run here: ${error?.message ?? stderr.trim()}`)
  return stdout.split('\n')[0] || program
}

/** crun refuses a hybrid cgroup layout, so there its timer has a mount namespace without the v2 part of it. */
export function withoutHybridUnified(): string[] {
  return existsSync(unified) ? ['unshare', '-m', 'sh', '-c', `umount ${unified} && exec "$@"`, 'sh'] : []
}

const unified = '/sys/fs/cgroup/unified'
