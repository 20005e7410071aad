/** What is in the package, as CycloneDX 1.5 lists it: no time and no random number, so that the same build says the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { output } from '../build-cache.ts'
import { arm64Compiler, arm64Packages } from '../engine-target.ts'
import { VERSION as quickjsVersion } from '../quickjs-source.ts'
import type { Package } from './description.ts'

const root = resolve(import.meta.dirname, '../..')

interface Component {
  readonly name: string
  readonly version: string
  /** SPDX's name, or an expression of such names. */
  readonly license: string
  readonly purl: string
  /** Not in the package itself: its output is, or it comes with the bundles for Node. */
  readonly excluded?: boolean
}

export function billOfMaterials({ version, architecture }: Package): string {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': 'crio-lxc', name: 'crio-lxc', version, ...license('Apache-2.0') },
    },
    components: components(architecture).map(({ name, version, license: id, purl, excluded }) => ({
      type: 'library',
      'bom-ref': purl,
      name,
      version,
      scope: excluded ? 'excluded' : 'required',
      ...license(id),
      purl,
    })),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** What NOTICE names. */
function components(architecture: string): Component[] {
  const find = architecture === output('dpkg', ['--print-architecture']) ? installed : unpacked
  const compiler = find === installed ? process.env['CC'] || 'gcc' : arm64Compiler
  return [
    debian('quickjs', { source: 'quickjs', version: quickjsVersion }, 'MIT'),
    debian('musl', find('musl-dev'), 'MIT'),
    debian('libseccomp', find('libseccomp-dev'), 'LGPL-2.1-only'),
    debian(
      'libgcc',
      installed(ownerOf(output(compiler, ['-print-libgcc-file-name']))),
      'GPL-3.0-only WITH GCC-exception-3.1',
    ),
    npm('bunyan'),
    ...['koffi', 'yargs'].map((name) => ({ ...npm(name), excluded: true })),
  ]
}

function license(id: string) {
  return { licenses: [id.includes(' ') ? { expression: id } : { license: { id } }] }
}

/** A package of Debian's, by its source. */
interface Origin {
  readonly source: string
  readonly version: string
}

function debian(name: string, { source, version }: Origin, id: string): Component {
  return { name, version, license: id, purl: `pkg:deb/debian/${source}@${version}?arch=source` }
}

function npm(name: string): Component {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; license: string }>
  }
  const found = lock.packages[`node_modules/${name}`]
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`)
  return { name, version: found.version, license: found.license, purl: `pkg:npm/${name}@${found.version}` }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own
const format = '--showformat=${source:Package} ${source:Version}'

function installed(name: string): Origin {
  return origin(output('dpkg-query', ['--show', format, name]))
}

/** Of the packages that the cross-built programs are linked with. */
function unpacked(name: string): Origin {
  const packages = join(arm64Packages(), 'packages')
  const file = readdirSync(packages).find((file) => file.startsWith(`${name}_`))
  if (file === undefined) throw new Error(`${packages} has no ${name}`)
  return origin(output('dpkg-deb', ['--show', format, join(packages, file)]))
}

function origin(line: string): Origin {
  const [source = '', version = ''] = line.split(' ')
  return { source, version }
}

function ownerOf(path: string): string {
  return output('dpkg-query', ['--search', path]).split(':')[0] ?? ''
}
