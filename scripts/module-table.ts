/** JavaScript modules as bytecode in C. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cache, run } from './build-cache.ts'
import { common, library } from './engine-objects.ts'
import { sourceTree } from './quickjs-source.ts'

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

/**
 * Writes C that lists the modules, the program first, and the functions that it calls. A module that is only imported later is
 * named to the compiler; one that another module begins with is not, as it would be compiled twice.
 */
export function writeModuleTable(directory: string, entry: string, table: string, functions: readonly string[]): void {
  const others = modulesOf(directory).filter((name) => name !== entry)
  const arrays = table.replace(/\.c$/, '.bytecode.c')
  const found = new Set([entry, ...others].flatMap((name) => importsOf(join(directory, name))))
  const dynamic = others.filter((name) => !found.has(name)).flatMap((name) => ['-D', name])
  run(compiler(), ['-c', '-m', '-o', arrays, ...dynamic, entry], directory)
  const code = readFileSync(arrays, 'utf8').replace(/^#include .*$/gm, '')
  const rows = [entry, ...others].map((name) => {
    const array = `qjsc_${basename(name, '.js').replace(/[^A-Za-z0-9]/g, '_')}`
    return `\t{"${name}", ${array}, sizeof(${array})},\n`
  })
  const modules = `const struct module modules[] = {\n${rows.join('')}\t{0},\n};\n`
  // libseccomp's headers are glibc's.
  const declarations = functions.map((name) => `long ${name}(long, long, long, long, long, long);\n`)
  const entries = functions.map((name) => `\t{"${name}", ${name}},\n`)
  const list = `const struct function functions[] = {\n${entries.join('')}\t{0},\n};\n`
  writeFileSync(table, ['#include "engine.h"', code, modules, ...declarations, list].join('\n'))
}

/** The modules that the one at `path`, as a bundler writes it, begins with. */
function importsOf(path: string): string[] {
  const imports = readFileSync(path, 'utf8').matchAll(/\b(?:from|import)\s*(["'])\.\/([^"'\n]+)\1/g)
  return Array.from(imports, ([, , name = '']) => name)
}

export function modulesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.js'))
    .sort()
}
