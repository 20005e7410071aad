/**
 * The modules of the verbs that callers wait for. Of the bundle, whose chunks are shared by all commands, most of what a small
 * verb costs is reading functions that it never calls and linking the chunks. So such a verb gets copies: one module of
 * everything that it always needs, without what it does not, and chunks of what it may need later.
 */
import { readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type GetModuleInfo, type Plugin, rollup } from 'rollup'

/** The whole program. */
const PROGRAM = 'src/program.ts'

/** What esbuild says of the chunks that it has made. */
interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly entryPoint?: string }>>
}

/** Adds VERB.js and its chunks to the bundle in `directory`; each exports `run` of src/program.ts. */
export async function addVerbModules(directory: string, verbs: readonly string[]): Promise<void> {
  const { outputs } = JSON.parse(readFileSync(join(directory, 'metafile-esm.json'), 'utf8')) as Metafile
  const chunks = new Map(Object.entries(outputs).map(([path, { entryPoint }]) => [entryPoint, resolve(path)]))
  const sources = new Map([...chunks].map(([source, path]) => [path, source]))
  const chunkOf = (source: string) => {
    const path = chunks.get(source)
    if (path === undefined) throw new Error(`the bundle has no chunk of ${source}`)
    return path
  }
  for (const verb of verbs) {
    const own = new Set([`src/commands/${verb}.ts`, `src/lifecycle/${verb}.ts`])
    const build = await rollup({
      input: verb,
      treeshake: 'smallest',
      preserveEntrySignatures: 'allow-extension',
      plugins: [verbModule({ verb, own, chunkOf, sourceOf: (path) => sources.get(path) })],
      onwarn: ({ message }) => {
        throw new Error(`the module of ${verb}: ${message}`)
      },
    })
    await build.write({
      dir: directory,
      entryFileNames: '[name].js',
      chunkFileNames: `${verb}-[name].js`,
      generatedCode: 'es2015',
      hoistTransitiveImports: false,
      manualChunks: (id, { getModuleInfo }) => (isAlwaysNeeded(id, verb, getModuleInfo) ? verb : undefined),
    })
    await build.close()
  }
}

interface VerbModule {
  readonly verb: string
  /** Sources that are imported later, and always. */
  readonly own: ReadonlySet<string>
  readonly chunkOf: (source: string) => string
  readonly sourceOf: (path: string) => string | undefined
}

function verbModule({ verb, own, chunkOf, sourceOf }: VerbModule): Plugin {
  return {
    name: 'verb-module',
    resolveId: (id) => (id === verb ? id : undefined),
    load(id) {
      if (id !== verb) return undefined
      const imports = [...own].map((source) => `import ${JSON.stringify(chunkOf(source))}\n`)
      return `${imports.join('')}export { run } from ${JSON.stringify(chunkOf(PROGRAM))}\n`
    },
    resolveDynamicImport(specifier, importer) {
      if (typeof specifier !== 'string') return null
      const path = resolve(importer, '..', specifier)
      const source = sourceOf(path) ?? ''
      if (own.has(source) || !beginsAgain(source)) return path
      return { id: `./${basename(chunkOf(PROGRAM))}`, external: true }
    },
    renderDynamicImport: ({ targetModuleId }) =>
      targetModuleId?.startsWith('./') ? { left: 'import(', right: ').then(({ run }) => run())' } : null,
  }
}

/** Whether the module of the verb imports it, and not only later. */
function isAlwaysNeeded(id: string, verb: string, infoOf: GetModuleInfo): boolean {
  const needed = new Set([verb])
  for (const each of needed) for (const imported of infoOf(each)?.importedIds ?? []) needed.add(imported)
  return needed.has(id)
}

/** What is imported before a verb has done anything, and in its place: the other commands and help. */
function beginsAgain(source: string): boolean {
  return /^src\/(commands\/|version\.ts$)/.test(source)
}
