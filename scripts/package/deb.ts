/**
 * `npm run package [-- DIRECTORY]`: the Debian package of dist/, in DIRECTORY or artifacts/. The same commit gives the same
 * bytes on the same release: every time in it is the commit's, every owner is root, every list is sorted.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { output } from '../build-cache.ts'
import { debianDependencies } from './dependencies.ts'
import { manPage } from './man-page.ts'
import { billOfMaterials } from './sbom.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const files = join(import.meta.dirname, 'files')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const documents = 'usr/share/doc/crio-lxc'
/** What an operator may change, and dpkg then keeps. */
const configuration = {
  'etc/crio/crio.conf.d/10-crio-lxc.conf': '10-crio-lxc.crio.conf',
  'etc/containers/containers.conf.d/10-crio-lxc.conf': '10-crio-lxc.containers.conf',
  'etc/logrotate.d/crio-lxc': 'crio-lxc.logrotate',
}
const completions = {
  bash: 'usr/share/bash-completion/completions/crio-lxc',
  zsh: 'usr/share/zsh/vendor-completions/_crio-lxc',
  fish: 'usr/share/fish/vendor_completions.d/crio-lxc.fish',
}

console.log(await makePackage(resolve(process.argv[2] ?? join(root, 'artifacts'))))

/** Returns the path of the package. */
async function makePackage(directory: string): Promise<string> {
  // Root alone can read crio-lxc-init, which is part of it.
  if (process.getuid?.() !== 0)
    throw new Error('make the package as root: libexec/crio-lxc/crio-lxc-init is not to be read by others')
  if (!existsSync(join(dist, 'bin/crio-lxc'))) throw new Error(`${dist} is not complete: run npm run build first`)
  const architecture = output('dpkg', ['--print-architecture'])
  const tree = mkdtempSync(join(tmpdir(), 'crio-lxc-package-'))
  const deb = join(directory, `crio-lxc_${version}_${architecture}.deb`)
  try {
    chmodSync(tree, 0o755)
    await fill(tree)
    control(tree, architecture)
    mkdirSync(directory, { recursive: true })
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, deb], {
      env: { ...process.env, SOURCE_DATE_EPOCH: commitTime() },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return deb
  } finally {
    rmSync(tree, { recursive: true })
  }
}

async function fill(tree: string): Promise<void> {
  // The bundles for Node in dist/lib are for who develops: the executables need nothing of them.
  copy(join(dist, 'bin'), join(tree, 'usr/bin'))
  copy(join(dist, 'libexec'), join(tree, 'usr/libexec'))
  for (const [path, name] of Object.entries(configuration)) put(tree, path, readFileSync(join(files, name)))
  put(tree, 'etc/default/crio-lxc', program('config', '--default'))
  for (const [shell, path] of Object.entries(completions)) put(tree, path, program('completion', shell))
  put(tree, 'usr/share/man/man8/crio-lxc.8.gz', compressed(await manPage(version)))
  put(tree, `${documents}/copyright`, readFileSync(join(root, 'NOTICE')))
  put(tree, `${documents}/LGPL-2.1`, readFileSync(join(dist, 'share/doc/crio-lxc/LGPL-2.1')))
  put(tree, `${documents}/changelog.gz`, compressed(readFileSync(join(root, 'CHANGELOG.md'))))
  put(tree, `${documents}/bom.cdx.json`, billOfMaterials(version))
}

/** A tree with its modes; hard links within it are one file in the package as well (tar's). */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  execFileSync('cp', ['-a', '--no-preserve=ownership', from, to])
}

function put(tree: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), content)
  chmodSync(join(tree, path), 0o644)
}

/** Without a time in its header. */
function compressed(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 })
}

function program(...args: readonly string[]): string {
  return output(join(dist, 'bin/crio-lxc'), args).concat('\n')
}

function control(tree: string, architecture: string): void {
  const debian = join(tree, 'DEBIAN')
  mkdirSync(debian)
  for (const script of ['prerm', 'postrm']) {
    cpSync(join(files, script), join(debian, script))
    chmodSync(join(debian, script), 0o755)
  }
  put(
    debian,
    'conffiles',
    [...Object.keys(configuration), 'etc/default/crio-lxc']
      .sort()
      .map((path) => `/${path}\n`)
      .join(''),
  )
  put(debian, 'md5sums', checksums(tree))
  put(
    debian,
    'control',
    `Package: crio-lxc
Version: ${version}
Architecture: ${architecture}
Maintainer: the crio-lxc developers <crio-lxc@localhost>
Section: admin
Priority: optional
Installed-Size: ${Math.ceil(sizeOf(tree) / 1024)}
Depends: ${debianDependencies(join(tree, 'usr')).join(', ')}
Recommends: conmon
Suggests: cri-o, podman, containerd
Description: OCI container runtime on liblxc
 crio-lxc runs containers by the OCI runtime specification with liblxc. CRI-O,
 containerd, podman, Docker and a person at a shell call it as they call runc.
`,
  )
}

/** As dpkg --verify reads them. */
function checksums(tree: string): string {
  return below(tree, 'usr')
    .map(
      (path) =>
        `${output('md5sum', [join(tree, path)])
          .split(' ')[0]
          ?.replace(/^\\/, '')}  ${path}\n`,
    )
    .join('')
}

function sizeOf(tree: string): number {
  return ['usr', 'etc']
    .flatMap((top) => below(tree, top))
    .reduce((sum, path) => sum + statSync(join(tree, path)).size, 0)
}

/** Regular files, sorted. */
function below(tree: string, path: string): string[] {
  return readdirSync(join(tree, path), { withFileTypes: true })
    .flatMap((entry) => {
      const inner = `${path}/${entry.name}`
      return entry.isDirectory() ? below(tree, inner) : entry.isFile() ? [inner] : []
    })
    .sort()
}

/** Of the commit that is packed, in seconds since 1970; SOURCE_DATE_EPOCH where there is no checkout. */
function commitTime(): string {
  return process.env['SOURCE_DATE_EPOCH'] ?? output('git', ['-C', root, 'log', '-1', '--format=%ct'])
}
