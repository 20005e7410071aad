/**
 * What is executed how often, for gcc to lay the engine out by. It is counted in a program of its own, which needs neither
 * root nor an installation (packages/core/engine/training), so that it changes with the engine alone, and is the same
 * whenever and wherever it is made.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { transformSync } from 'esbuild'
import { cache, makeWhole, output } from './build-cache.ts'
import { compile, engineSources, ownSource, sources } from './engine-objects.ts'
import type { Target } from './engine-target.ts'
import { writeModuleTable } from './module-table.ts'

const here = import.meta.dirname
const training = join(sources, 'training')
/** As many as program.ts loads. */
const VERBS = 24

/** The directory of the profile: a .gcda file for each source. */
export function profileOf(target: Target, profiler: string): string {
  const name = `profile-${target.name}-`
  const profile = join(cache, `${name}${keyOf(target)}`)
  if (existsSync(profile)) return profile
  for (const old of readdirSync(cache)) if (old.startsWith(name)) rmSync(join(cache, old), { recursive: true })
  makeWhole(profile, (directory) => {
    buildTraining(target, profiler, directory)
    train(directory)
    // Without its counts gcc would compile a source as if there were no profile, and libgcov does not fail.
    for (const { file } of engineSources(target)) statSync(join(directory, `${basename(file, '.c')}.gcda`))
    for (const name of readdirSync(directory))
      if (name !== 'training' && !name.endsWith('.gcda')) rmSync(join(directory, name), { recursive: true })
  })
  return profile
}

/** Counts in `directory`, where the training program was built, or below `other`. */
export function train(directory: string, other?: string): void {
  // Its name and its variables are counted as well.
  const env = other === undefined ? {} : { GCOV_PREFIX: other }
  execFileSync('./training', { cwd: directory, env, stdio: ['ignore', 'ignore', 'inherit'] })
}

function buildTraining(target: Target, profiler: string, directory: string): void {
  const modules = join(directory, 'modules')
  mkdirSync(modules)
  const verb = javaScript('verb.ts')
  for (let index = 1; index <= VERBS; index++) writeFileSync(join(modules, `verb-${index}.js`), verb)
  writeFileSync(join(modules, 'program.js'), javaScript('program.ts'))
  const table = join(directory, 'table.c')
  writeModuleTable(modules, 'program.js', table, [])
  const plain = [table, join(training, 'fixed-addresses.c')].map((file) => compile(target, ownSource(file), directory))
  const counting = ['-fprofile-generate', '-fprofile-update=single']
  const counted = engineSources(target).map((source) => compile(target, source, directory, counting))
  // libgcov.a is made for glibc, whose headers rename strtol since 2.38.
  const around = ['-Wl,--wrap=mmap,--wrap=main', '-Wl,-u,strtol,--defsym=__isoc23_strtol=strtol']
  target.link([...counted, ...plain, profiler], join(directory, 'training'), around)
}

function javaScript(name: string): string {
  return transformSync(readFileSync(join(training, name), 'utf8'), { loader: 'ts', target: 'es2023' }).code
}

function keyOf(target: Target): string {
  const version = output(target.compiler, ['-dumpfullversion'])
  const key = createHash('sha256').update([target.compiler, version, ...target.options].join('\0'))
  const headers = ['engine.h', 'mended.h'].map((name) => join(sources, name))
  const scripts = ['engine-profile.ts', 'engine-objects.ts', 'module-table.ts'].map((name) => join(here, name))
  const inputs = readdirSync(training).map((name) => join(training, name))
  const files = [...engineSources(target).map(({ file }) => file), ...headers, ...scripts, ...inputs.sort()]
  for (const file of files) key.update(readFileSync(file))
  return key.digest('hex').slice(0, 16)
}
