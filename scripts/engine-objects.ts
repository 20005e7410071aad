/** The engine's C as objects: QuickJS, and packages/core/engine. Only what changed is compiled. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { cache, run } from './build-cache.ts'
import type { Target } from './engine-target.ts'
import { sourceTree, VERSION } from './quickjs-source.ts'

export const sources = resolve(import.meta.dirname, '../packages/core/engine')

const mended = join(sources, 'mended.h')

/** The engine itself; quickjs-libc, which reads files and loads shared objects, is for its compiler alone. */
export const library = ['quickjs', 'libregexp', 'libunicode', 'cutils', 'dtoa']

export const common = ['-D_GNU_SOURCE', `-DCONFIG_VERSION="${VERSION}"`, '-fwrapv']
const strict = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-Wno-cast-function-type']

export interface Source {
  readonly file: string
  readonly options: readonly string[]
}

export function engineSources(target: Target): Source[] {
  const tree = sourceTree()
  return [
    ...library.map((name) => ({ file: join(tree, `${name}.c`), options: ['-include', mended] })),
    ...target.files.map((name) => ownSource(join(sources, `${name}.c`))),
  ]
}

/** C of this repository, or that the build has generated. malloc(3) is ours: of what calloc does gcc would make a call of calloc. */
export function ownSource(file: string): Source {
  return { file, options: [...strict, '-fno-builtin-malloc', '-I', sources, '-isystem', sourceTree()] }
}

/** The object of a source in `directory`, where its profile may be, a directory of the cache. */
export function compile(
  target: Target,
  { file, options }: Source,
  directory: string,
  more: readonly string[] = [],
): string {
  const name = `${basename(file, '.c')}.o`
  // Relative names: neither the profile nor assert(3) shall know where the checkout is, nor the profile that it was moved.
  const io = ['-c', relative(directory, file), '-o', name]
  run(target.compiler, [...common, ...target.options, ...options, ...more, ...io], directory)
  return join(directory, name)
}

/** The same in the cache, made anew only when the source, a header, the options or the profile have changed. */
export function cachedObject(target: Target, source: Source, directory: string, more: readonly string[]): string {
  const name = basename(source.file, '.c')
  const profile = join(directory, `${name}.gcda`)
  const key = createHash('sha256').update([target.compiler, ...target.options, ...source.options, ...more].join('\0'))
  const files = [source.file, join(sources, 'engine.h'), mended, ...(existsSync(profile) ? [profile] : [])]
  for (const file of files) key.update(readFileSync(file))
  const object = join(cache, `${name}-${key.digest('hex').slice(0, 16)}.o`)
  if (!existsSync(object)) renameSync(compile(target, source, directory, more), object)
  return object
}
