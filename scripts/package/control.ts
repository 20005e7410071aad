/** What dpkg reads of the package: DEBIAN/ in its tree. */
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { debianDependencies } from './dependencies.ts'
import type { Package } from './description.ts'
import { put } from './tree.ts'

const files = join(import.meta.dirname, 'files')

export function writeControl(tree: string, description: Package): void {
  const debian = join(tree, 'DEBIAN')
  // Whatever is below /etc is the operator's, as Debian's policy has it.
  put(
    debian,
    'conffiles',
    regularFiles(tree, 'etc')
      .map((path) => `/${path}\n`)
      .join(''),
  )
  put(
    debian,
    'md5sums',
    regularFiles(tree, 'usr')
      .map((path) => `${checksum(join(tree, path))}  ${path}\n`)
      .join(''),
  )
  put(debian, 'control', controlText(tree, description))
  for (const script of ['preinst', 'postinst', 'prerm', 'postrm']) {
    copyFileSync(join(files, script), join(debian, script))
    chmodSync(join(debian, script), 0o755)
  }
}

function controlText(tree: string, { version, architecture, maintainer }: Package): string {
  return `Package: crio-lxc
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Section: admin
Priority: optional
Installed-Size: ${installedSize(tree)}
Depends: ${debianDependencies(join(tree, 'usr')).join(', ')}
Recommends: conmon
Suggests: cri-o, podman, containerd, procps
Description: OCI container runtime on liblxc
 crio-lxc runs containers by the OCI runtime specification with liblxc. CRI-O,
 containerd, podman, Docker and a person at a shell call it as they call runc.
`
}

/** In KiB, each file's rounded up, and what is linked counted once. */
function installedSize(tree: string): number {
  const sizes = ['usr', 'etc']
    .flatMap((top) => regularFiles(tree, top))
    .map((path) => statSync(join(tree, path)))
    .map(({ ino, size }) => [ino, Math.ceil(size / 1024)] as const)
  return [...new Map(sizes).values()].reduce((sum, size) => sum + size, 0)
}

function checksum(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex')
}

/** Sorted. */
function regularFiles(tree: string, path: string): string[] {
  return readdirSync(join(tree, path), { withFileTypes: true })
    .flatMap((entry) => {
      const inner = `${path}/${entry.name}`
      return entry.isDirectory() ? regularFiles(tree, inner) : entry.isFile() ? [inner] : []
    })
    .sort()
}
