/** Node as it runs the repository's scripts, and as it runs the product. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')

/** Arguments of Node before the name of a TypeScript file. */
export const typescript: readonly string[] = ['--import', join(repository, 'scripts/typescript.js')]

/**
 * A Node that runs the bundles of dist/lib, 22 or newer: the present one, or the optional package; undefined without
 * either. Found by its path, for whether npm links `node` into node_modules/.bin depends on npm's version.
 */
export function productNode(): string | undefined {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  const packaged = join(repository, `node_modules/node22-${process.arch}/bin/node`)
  return existsSync(packaged) ? packaged : undefined
}
