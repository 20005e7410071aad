/**
 * How every program becomes a bundle: self-contained ES modules that run on Node >= 22 and that
 * scripts/assemble.ts compiles into a native executable. Nothing may be looked up at run time except Node's own
 * modules: the working directory of a container runtime is the container's bundle, and a `require` that the
 * bundler left open would load code from its node_modules.
 */
import { isBuiltin } from 'node:module'
import { defineConfig } from 'tsup'

type Plugin = NonNullable<
  Exclude<Parameters<typeof defineConfig>[0], unknown[] | ((...args: never[]) => unknown)>['esbuildPlugins']
>[number]

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

const nothingLeftOpen: Plugin = {
  name: 'nothing-left-open',
  setup(build) {
    build.onEnd(({ metafile }) => {
      const open = Object.values(metafile?.outputs ?? {})
        .flatMap(({ imports }) => imports)
        .filter(({ external, path }) => external && !isBuiltin(path))
        .map(({ path }) => path)
      if (metafile === undefined) return { errors: [{ text: 'the bundler gave no metafile to check' }] }
      return { errors: open.map((path) => ({ text: `the bundle would look for "${path}" at run time` })) }
    })
  },
}

/** The tsup configuration of one program: `entry` is written to dist/`name`.js with its chunks beside it. */
export function bundle(name: string, entry: string): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: { [name]: entry },
    format: ['esm'],
    target: 'node22',
    platform: 'node',
    splitting: true,
    minify: true,
    clean: true,
    dts: false,
    metafile: true,
    silent: true,
    noExternal: [/.*/],
    define: { BUNDLED: 'true', COMMIT: JSON.stringify(process.env.COMMIT ?? '') },
    // CommonJS dependencies require() Node's own modules; createRequire would cost 0.4 ms in every chunk of a start.
    banner: { js: 'const require = (id) => process.getBuiltinModule(id);' },
    esbuildPlugins: [stubOptionalModules, nothingLeftOpen],
  })
}
