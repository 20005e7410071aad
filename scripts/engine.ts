/**
 * The engine of the programs: QuickJS from Debian's source package, and a program's modules as bytecode, in one static
 * executable.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { linkedFunctions } from '../packages/core/src/sys/linked-functions.ts'
import { cache } from './build-cache.ts'
import { cachedObject, compile, engineSources, ownSource } from './engine-objects.ts'
import { profileOf } from './engine-profile.ts'
import { ownTarget, type Target } from './engine-target.ts'
import { modulesOf, writeModuleTable } from './module-table.ts'

/** What else makes a difference to an executable. */
const scripts = [
  'scripts/engine.ts',
  'scripts/engine-target.ts',
  'scripts/module-table.ts',
  'packages/core/src/sys/linked-functions.ts',
].map((script) => resolve(import.meta.dirname, '..', script))

/** The executable of the modules in `directory`, of which `entry` is the program. Only what changed is built. */
export function buildProgram(directory: string, entry: string, target: Target = ownTarget()): string {
  mkdirSync(cache, { recursive: true })
  const objects = engineObjects(target)
  const modules = modulesOf(directory).map((name) => join(directory, name))
  const name = `${basename(entry, '.js')}-${target.name}`
  const output = join(cache, `${name}-${digest([...modules, ...objects, ...scripts]).slice(0, 16)}`)
  if (existsSync(output)) return output
  for (const old of readdirSync(cache)) if (old.replace(/-[0-9a-f]{16}$/, '') === name) rmSync(join(cache, old))
  const table = join(cache, `${name}.c`)
  writeModuleTable(directory, entry, table, linkedFunctions)
  const object = compile(target, ownSource(table), cache)
  target.link([...objects, object], `${output}.new`)
  rmSync(object)
  renameSync(`${output}.new`, output)
  return output
}

export function engineObjects(target: Target): string[] {
  const directory = target.profiler ? profileOf(target, target.profiler) : plainDirectory(target)
  const options = target.profiler ? ['-fprofile-use'] : []
  return engineSources(target).map((source) => cachedObject(target, source, directory, options))
}

/** Where a target without a profile is compiled. */
function plainDirectory(target: Target): string {
  const directory = join(cache, `plain-${target.name}`)
  mkdirSync(directory, { recursive: true })
  return directory
}

function digest(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${basename(file)}\0`).update(readFileSync(file))
  return hash.digest('hex')
}
