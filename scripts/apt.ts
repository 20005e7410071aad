/**
 * Files of Debian's that this machine has not installed: of another release, or for another processor. apt verifies them
 * with a configuration of its own, in a directory that is removed; that of the machine stays as it is.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache, output, run } from './build-cache.ts'

export interface Wanted {
  /** `deb` or `deb-src`. */
  readonly type: string
  readonly release: string
  /** dpkg's name of the processor. */
  readonly architecture?: string
}

/** What `command` of apt-get has left in its directory, moved to `directory`. */
export function fetch({ type, release, architecture }: Wanted, command: readonly string[], directory: string): void {
  mkdirSync(cache, { recursive: true })
  const apt = mkdtempSync(join(cache, 'apt-'))
  try {
    const files = join(apt, 'files')
    for (const made of ['lists/partial', 'cache/archives/partial', 'files'])
      mkdirSync(join(apt, made), { recursive: true })
    const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
    writeFileSync(join(apt, 'sources.list'), `${type} [signed-by=${key}] ${debianMirror()} ${release} main\n`)
    const options = [
      `Dir::State::Lists=${apt}/lists`,
      `Dir::Cache=${apt}/cache`,
      `Dir::Etc::SourceList=${apt}/sources.list`,
      'Dir::Etc::SourceParts=/dev/null',
      'APT::Sandbox::User=root',
      ...(architecture ? [`APT::Architecture=${architecture}`, `APT::Architectures=${architecture}`] : []),
    ].flatMap((option) => ['-o', option])
    run('apt-get', ['-q', ...options, 'update'], files)
    run('apt-get', ['-q', ...options, ...command], files)
    for (const name of readdirSync(files)) renameSync(join(files, name), join(directory, name))
  } finally {
    rmSync(apt, { recursive: true })
  }
}

/** Where this machine gets Debian's packages from. */
function debianMirror(): string {
  const sites = output('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n')
  const mirror = sites.find((site) => /\/debian\/?$/.test(site))
  if (mirror === undefined) throw new Error('apt has no mirror of Debian')
  return mirror
}
