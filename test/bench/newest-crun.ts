/** The newest crun, from Debian's unstable release, with the libraries it was built for. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fetch } from '../../scripts/apt.ts'
import { cache, makeWhole, output, run } from '../../scripts/build-cache.ts'

/** The libraries that Debian's crun names; patchelf is of this machine's release and runs here. */
const packages = ['crun', 'libc6', 'libcap2', 'libseccomp2', 'libsystemd0', 'libblake3-0', 'libjson-c5']
const tree = join(cache, 'newest-crun')

/**
 * The executable that NEWER_CRUN names, else the one of Debian's, kept in the build's cache: remove it there to have it
 * looked up again. Throws when it cannot be had.
 */
export function newestCrun(): string {
  const given = process.env['NEWER_CRUN']
  if (!given && !existsSync(tree)) makeWhole(tree, download)
  return given || join(tree, 'usr/bin/crun')
}

/** Its loader and its libraries are set to those beside it: crun executes itself again, so no wrapper could do that. */
function download(directory: string): void {
  fetch({ type: 'deb', release: 'sid' }, ['download', ...packages], directory)
  fetch({ type: 'deb', release: codename() }, ['download', 'patchelf'], directory)
  const archives = readdirSync(directory).filter((name) => name.endsWith('.deb'))
  for (const archive of archives) run('dpkg', ['-x', archive, directory], directory)
  const libraries = `usr/lib/${output('dpkg-architecture', ['-qDEB_HOST_MULTIARCH'])}`
  const loader = readdirSync(join(directory, libraries)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name))
  if (loader === undefined) throw new Error(`the package libc6 has no loader in ${libraries}`)
  // The directory is renamed to `tree` when it is whole.
  const final = join(tree, libraries)
  const paths = ['--set-interpreter', join(final, loader), '--force-rpath', '--set-rpath', final]
  run(join(directory, 'usr/bin/patchelf'), [...paths, 'usr/bin/crun'], directory)
}

function codename(): string {
  return output('sh', ['-c', '. /etc/os-release && echo "$VERSION_CODENAME"'])
}
