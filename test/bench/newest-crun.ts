/** The newest crun, from Debian's unstable release, with the libraries it was built for. */
import { join } from 'node:path'
import { unpackedPackages } from '../support/unpacked-packages.ts'

/** The libraries that Debian's crun names. */
const libraries = ['libc6', 'libcap2', 'libseccomp2', 'libsystemd0', 'libblake3-0', 'libjson-c5']

/** The executable that NEWER_CRUN names, else the one of Debian's. Throws when it cannot be had. */
export function newestCrun(): string {
  const executables = ['usr/bin/crun']
  const wanted = { release: 'sid', packages: ['crun', ...libraries], executables }
  return process.env['NEWER_CRUN'] || join(unpackedPackages(wanted), 'usr/bin/crun')
}
