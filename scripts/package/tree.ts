/** What the package installs, as files below a directory. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { output } from '../build-cache.ts'
import type { Package } from './description.ts'
import { manPage } from './man-page.ts'
import { billOfMaterials } from './sbom.ts'
import { systemCallProfile } from './system-calls.ts'

const root = resolve(import.meta.dirname, '../..')
const files = join(import.meta.dirname, 'files')
const documents = 'usr/share/doc/crio-lxc'
/** What an operator may change, and dpkg then keeps. */
const configuration = {
  'etc/apparmor.d/crio-lxc': 'crio-lxc.apparmor',
  'etc/crio/crio.conf.d/10-crio-lxc.conf': '10-crio-lxc.crio.conf',
  'etc/containers/containers.conf.d/10-crio-lxc.conf': '10-crio-lxc.containers.conf',
  'etc/logrotate.d/crio-lxc': 'crio-lxc.logrotate',
}
const completions = {
  bash: 'usr/share/bash-completion/completions/crio-lxc',
  zsh: 'usr/share/zsh/vendor-completions/_crio-lxc',
  fish: 'usr/share/fish/vendor_completions.d/crio-lxc.fish',
}

export async function fillTree(tree: string, description: Package): Promise<void> {
  const { version, programs } = description
  // The bundles for Node in dist/lib are for who develops: the executables need nothing of them.
  copy(join(programs, 'bin'), join(tree, 'usr/bin'))
  copy(join(programs, 'libexec'), join(tree, 'usr/libexec'))
  for (const [path, name] of Object.entries(configuration)) put(tree, path, readFileSync(join(files, name)))
  put(tree, 'usr/share/crio-lxc/selinux/crio-lxc.cil', readFileSync(join(files, 'crio-lxc.cil')))
  put(tree, 'usr/share/crio-lxc/seccomp.json', systemCallProfile())
  put(tree, 'etc/default/crio-lxc', textOf('config', '--default'))
  for (const [shell, path] of Object.entries(completions)) put(tree, path, textOf('completion', shell))
  put(tree, 'usr/share/man/man8/crio-lxc.8.gz', compressed(await manPage(version)))
  put(tree, 'usr/share/lintian/overrides/crio-lxc', readFileSync(join(files, 'lintian-overrides')))
  put(tree, `${documents}/copyright`, readFileSync(join(files, 'copyright')))
  put(tree, `${documents}/NOTICE`, readFileSync(join(root, 'NOTICE')))
  put(tree, `${documents}/CHANGELOG.md.gz`, compressed(readFileSync(join(root, 'CHANGELOG.md'))))
  put(tree, `${documents}/changelog.gz`, compressed(debianChangelog(description)))
  put(tree, `${documents}/bom.cdx.json`, billOfMaterials(description))
}

/** A tree with its modes; hard links within it are one file in the package as well (tar's). */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  execFileSync('cp', ['-a', '--no-preserve=ownership', from, to])
}

export function put(tree: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), content)
  chmodSync(join(tree, path), 0o644)
}

/** Without a time in its header. */
function compressed(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 })
}

/** What the program prints is the same for every processor: this machine's can be run. */
function textOf(...args: readonly string[]): string {
  return output(join(root, 'dist/bin/crio-lxc'), args).concat('\n')
}

function debianChangelog({ version, maintainer, time }: Package): string {
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000')
  return `crio-lxc (${version}) unstable; urgency=medium

  * CHANGELOG.md.gz in this directory tells what has changed.

 -- ${maintainer}  ${date}
`
}
