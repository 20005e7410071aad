/**
 * How every program becomes bundles: self-contained ES modules for the engine, in dist/engine, which scripts/engine.ts
 * compiles, and the same for Node >= 22, in dist/node. Nothing may be looked up at run time except Node's own modules: the
 * working directory of a container runtime is the container's bundle, and a `require` that the bundler left open would
 * load code from its node_modules.
 */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import type { defineConfig } from 'tsup'
import { addVerbModules } from './verb-modules.ts'

type Options = Exclude<Parameters<typeof defineConfig>[0], unknown[] | ((...args: never[]) => unknown)>
type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** tsup runs in the directory of the package. */
const core = resolve('../core/src')
const bunyanHost = join(core, 'host/log/bunyan-host.ts')

/** bunyan tries these and copes without: rotating files, DTrace probes, source positions, circular records. */
const optionalModules = ['mv', 'dtrace-provider', 'source-map-support', 'safe-json-stringify']

const stubOptionalModules: Plugin = {
  name: 'stub-optional-modules',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(${optionalModules.join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'absent-module',
    }))
    build.onLoad({ filter: /.*/, namespace: 'absent-module' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of this program`)})`,
    }))
  },
}

/** The engine has none of Node's modules: bunyan gets a few words of them. */
const hostBunyan: Plugin = {
  name: 'host-bunyan',
  setup(build) {
    build.onResolve({ filter: /^(os|fs|util|assert|events|stream)$/ }, ({ importer }) =>
      importer.includes('/bunyan/') ? { path: bunyanHost } : undefined,
    )
    // Not injected, which every module would pay for.
    build.onLoad({ filter: /\/bunyan\/lib\/bunyan\.js$/ }, ({ path }) => ({
      contents: `const { Buffer, process } = require('os');${readFileSync(path, 'utf8')}`,
    }))
  },
}

const nothingLeftOpen = (allowed: (path: string) => boolean): Plugin => ({
  name: 'nothing-left-open',
  setup(build) {
    build.onEnd(({ metafile }) => {
      const open = Object.values(metafile?.outputs ?? {})
        .flatMap(({ imports }) => imports)
        .filter(({ external, path }) => external && !allowed(path))
        .map(({ path }) => path)
      if (metafile === undefined) return { errors: [{ text: 'the bundler gave no metafile to check' }] }
      return { errors: open.map((path) => ({ text: `the bundle would look for "${path}" at run time` })) }
    })
  },
})

const common: Options = {
  format: ['esm'],
  splitting: true,
  clean: true,
  dts: false,
  metafile: true,
  silent: true,
  noExternal: [/.*/],
  define: {
    BUNDLED: 'true',
    COMMIT: JSON.stringify(process.env['COMMIT'] ?? ''),
    VERSION: JSON.stringify(process.env['VERSION'] ?? ''),
  },
}

/** The tsup configurations of one program: `src/main.ts` becomes `name`.js, with its chunks, and modules of `verbs`, beside it. */
export function bundle(name: string, verbs: readonly string[] = []): Options[] {
  return [
    {
      ...common,
      entry: { [name]: 'src/main.ts' },
      outDir: 'dist/engine',
      target: 'es2023',
      platform: 'neutral',
      define: { ...common.define, VERBS: JSON.stringify(` ${verbs.join(' ')} `) },
      onSuccess: () => addVerbModules('dist/engine', verbs),
      // Lines are kept, so that a stack trace names one that a person finds.
      esbuildOptions(options) {
        options.mainFields = ['module', 'main']
        options.minifyIdentifiers = false
        options.minifySyntax = true
        options.drop = []
      },
      esbuildPlugins: [stubOptionalModules, hostBunyan, nothingLeftOpen(() => false)],
    },
    {
      ...common,
      entry: { [name]: 'src/node.ts' },
      outDir: 'dist/node',
      target: 'node22',
      platform: 'node',
      minify: true,
      // CommonJS dependencies require() Node's own modules.
      banner: { js: 'const require = (id) => process.getBuiltinModule(id);' },
      esbuildPlugins: [stubOptionalModules, nothingLeftOpen(isBuiltin)],
    },
  ]
}

/**
 * The npm package's modules, each self-contained but for koffi, which Node finds as any dependency: whoever imports the package
 * chooses what is in its node_modules. What the engine's interface is looked up in is an object of the module's own, no global.
 */
export function bundleLibrary(entry: Readonly<Record<string, string>>): Options {
  return {
    ...common,
    entry: { ...entry },
    outDir: 'dist/library',
    target: 'node22',
    platform: 'node',
    splitting: false,
    define: { ...common.define, EMBEDDED: 'true', globalThis: 'ownGlobals' },
    banner: { js: 'const ownGlobals = {};\nconst require = (id) => process.getBuiltinModule(id);' },
    esbuildPlugins: [stubOptionalModules, nothingLeftOpen(isBuiltin)],
  }
}
