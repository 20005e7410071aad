/**
 * The engine of the programs: QuickJS from Debian's source package, and a program's modules as bytecode, in one static
 * executable.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { cache, run } from './build-cache.ts'
import { ownTarget, type Target } from './engine-target.ts'
import { sourceTree, VERSION } from './quickjs-source.ts'

const sources = resolve(import.meta.dirname, '../packages/core/engine')

const mended = join(sources, 'mended.h')

/** The engine itself; quickjs-libc, which reads files and loads shared objects, is for its compiler alone. */
const library = ['quickjs', 'libregexp', 'libunicode', 'cutils', 'dtoa']

const common = ['-D_GNU_SOURCE', `-DCONFIG_VERSION="${VERSION}"`, '-fwrapv']
const strict = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-Wno-cast-function-type']

/** The executable of the modules in `directory`, of which `entry` is the program. Only what changed is built. */
export function buildProgram(directory: string, entry: string, target: Target = ownTarget()): string {
  mkdirSync(cache, { recursive: true })
  const objects = engineObjects(target)
  const modules = modulesOf(directory).map((name) => join(directory, name))
  const name = `${basename(entry, '.js')}-${target.name}`
  const scripts = ['engine.ts', 'engine-target.ts'].map((script) => join(import.meta.dirname, script))
  const output = join(cache, `${name}-${digest([...modules, ...objects, ...scripts]).slice(0, 16)}`)
  if (existsSync(output)) return output
  for (const old of readdirSync(cache)) if (old.replace(/-[0-9a-f]{16}$/, '') === name) rmSync(join(cache, old))
  const table = join(cache, `${name}.c`)
  writeFileSync(table, moduleTable(directory, entry))
  const object = compile(target, table, ['-I', sources, '-isystem', sourceTree()])
  target.link([...objects, object], `${output}.new`)
  rmSync(object)
  renameSync(`${output}.new`, output)
  return output
}

/** QuickJS's own compiler, for this machine: JavaScript to bytecode, as arrays in C. */
function compiler(): string {
  const tree = sourceTree()
  const path = join(cache, 'qjsc')
  if (existsSync(path)) return path
  const files = [...library, 'quickjs-libc', 'qjsc'].map((name) => join(tree, `${name}.c`))
  const paths = ['-DCONFIG_CC="cc"', '-DCONFIG_PREFIX="/usr"']
  run('cc', [...common, '-O2', ...paths, '-o', `${path}.new`, ...files, '-lm', '-ldl', '-lpthread'])
  renameSync(`${path}.new`, path)
  return path
}

function engineObjects(target: Target): string[] {
  const tree = sourceTree()
  const host = [join(sources, 'engine.c'), target.allocator ?? join(sources, 'allocator.c')]
  return [
    ...library.map((name) => compile(target, join(tree, `${name}.c`), ['-include', mended])),
    ...host.map((file) => compile(target, file, [...strict, '-I', sources, '-isystem', tree])),
  ]
}

/** The object of a C file, which is compiled only when the file, a header or the options have changed. */
function compile(target: Target, source: string, more: readonly string[]): string {
  const options = [...common, ...target.options, ...more]
  const key = createHash('sha256')
    .update([target.compiler, ...options].join('\0'))
    .update(readFileSync(source))
    .update(readFileSync(join(sources, 'engine.h')))
    .update(readFileSync(mended))
  const object = join(cache, `${basename(source, '.c')}-${key.digest('hex').slice(0, 16)}.o`)
  if (!existsSync(object)) {
    run(target.compiler, [...options, '-c', source, '-o', `${object}.new`])
    renameSync(`${object}.new`, object)
  }
  return object
}

/** C that lists the modules, the program first. A module that is imported later is named, so that it is compiled, too. */
function moduleTable(directory: string, entry: string): string {
  const others = modulesOf(directory).filter((name) => name !== entry)
  const arrays = join(cache, `${basename(entry, '.js')}.bytecode.c`)
  const dynamic = others.flatMap((name) => ['-D', name])
  run(compiler(), ['-c', '-m', '-o', arrays, ...dynamic, entry], directory)
  const code = readFileSync(arrays, 'utf8').replace(/^#include .*$/gm, '')
  const rows = [entry, ...others].map((name) => {
    const array = `qjsc_${basename(name, '.js').replace(/[^A-Za-z0-9]/g, '_')}`
    return `\t{"${name}", ${array}, sizeof(${array})},\n`
  })
  return `#include "engine.h"\n${code}\nconst struct module modules[] = {\n${rows.join('')}\t{0},\n};\n`
}

function modulesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.js'))
    .sort()
}

function digest(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${basename(file)}\0`).update(readFileSync(file))
  return hash.digest('hex')
}
