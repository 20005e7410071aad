/** What is in the package, as CycloneDX 1.5 lists it: no time and no random number, so that the same build says the same. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { output } from '../build-cache.ts'
import { VERSION as quickjsVersion } from '../quickjs-source.ts'

const root = resolve(import.meta.dirname, '../..')

interface Component {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly purl: string
}

export function billOfMaterials(version: string): string {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': 'crio-lxc', name: 'crio-lxc', version, ...license('Apache-2.0') },
    },
    components: components().map(({ name, version, license: id, purl }) => ({
      type: 'library',
      'bom-ref': purl,
      name,
      version,
      ...license(id),
      purl,
    })),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** What NOTICE names: linked into the executables, or bundled. */
function components(): Component[] {
  return [
    debian('quickjs', quickjsVersion, 'MIT'),
    debian('musl', installed('musl-dev'), 'MIT'),
    debian('libseccomp', installed('libseccomp-dev'), 'LGPL-2.1-only'),
    npm('bunyan', 'MIT'),
  ]
}

function license(id: string) {
  return { licenses: [{ license: { id } }] }
}

function debian(name: string, version: string, id: string): Component {
  return { name, version, license: id, purl: `pkg:deb/debian/${name}@${version}?arch=source` }
}

function npm(name: string, id: string): Component {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  const version = lock.packages[`node_modules/${name}`]?.version ?? ''
  return { name, version, license: id, purl: `pkg:npm/${name}@${version}` }
}

function installed(name: string): string {
  return output('dpkg-query', ['--show', `--showformat=$\{source:Version}`, name])
}
