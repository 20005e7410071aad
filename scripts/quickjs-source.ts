/** The source of QuickJS, of Debian's package: nothing of it is part of this repository. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetch } from './apt.ts'
import { cache, makeWhole, run } from './build-cache.ts'

export const VERSION = '2025.04.26'
const PACKAGE = `quickjs=${VERSION}-1`
const ARCHIVE = `quickjs_${VERSION}.orig.tar.xz`
const SHA256 = 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe'

export function sourceTree(): string {
  const tree = join(cache, `quickjs-${VERSION}`)
  if (!existsSync(tree))
    makeWhole(tree, (directory) => run('tar', ['-xJf', sourceArchive(), '-C', directory, '--strip-components=1']))
  return tree
}

/** The archive that apt has verified, or the one that QUICKJS_SOURCE names, on machines without such a mirror. */
function sourceArchive(): string {
  const given = process.env['QUICKJS_SOURCE']
  const path = given || join(cache, ARCHIVE)
  if (!given && !existsSync(path)) download()
  const found = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (found !== SHA256) throw new Error(`${path} is not the source of QuickJS ${VERSION}: its SHA-256 is ${found}`)
  return path
}

/** Of a newer Debian than this machine may be. */
function download(): void {
  try {
    fetch({ type: 'deb-src', release: 'trixie' }, ['source', '--download-only', PACKAGE], cache)
  } catch (cause) {
    throw new Error(`download ${PACKAGE}: ${(cause as Error).message}: name its archive by QUICKJS_SOURCE`, { cause })
  }
}
