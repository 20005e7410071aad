/** Who imports whom in the packages, for the check of the layers and for the picture of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** One import: repository paths for files, the package's name (with its sub-path) or `node:x` otherwise. */
export interface Import {
  readonly from: string
  readonly to: string
}

/** All imports of the packages' sources, as the bundler finds them. */
export async function importsOf(root: string): Promise<Import[]> {
  const edges: Import[] = []
  const below = (path: string): string => path.slice(root.length + 1)
  const record: Plugin = {
    name: 'record-imports',
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: withTypeImports(readFileSync(path, 'utf8')),
        loader: 'ts',
      }))
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (importer === '') return undefined
        const file = fileOf(path, importer, root)
        edges.push({ from: below(importer), to: file === undefined ? nameOf(path) : below(file) })
        return file === undefined ? { path, external: true } : { path: file }
      })
    },
  }
  await build({
    entryPoints: sources(root),
    bundle: true,
    write: false,
    outdir: root,
    format: 'esm',
    logLevel: 'error',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [record],
  })
  return edges
}

/** Absolute paths of the packages' own TypeScript. */
export function sources(root: string): string[] {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const directory = join(root, 'packages', name, 'src')
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    return files.filter((file) => file.endsWith('.ts')).map((file) => join(directory, file))
  })
}

/** The file behind a relative import or a sub-path of one of our packages; undefined for what others made. */
function fileOf(path: string, importer: string, root: string): string | undefined {
  if (path.startsWith('.')) return resolve(dirname(importer), path)
  const [, name, subPath] = /^@crio-lxc\/([^/]+)\/(.+)$/.exec(path) ?? []
  return name === undefined ? undefined : join(root, 'packages', name, 'src', `${subPath}.ts`)
}

function nameOf(path: string): string {
  return isBuiltin(path) && !path.startsWith('node:') ? `node:${path}` : path
}

/** The bundler drops type imports; here they become plain ones. */
function withTypeImports(source: string): string {
  return source
    .replace(/^(import|export) type (?=[{*]|\w+ from )/gm, '$1 ')
    .replace(/^(import|export) \{([^}]*)\} from/gm, (_, keyword: string, names: string) => {
      return `${keyword} {${names.replace(/\btype (?=\w)/g, '')}} from`
    })
}

/** Whether an import is of a file of this repository. */
export function isFile(to: string): boolean {
  return /^(packages|test|scripts)\//.test(to)
}

/** A directory of runtime-cli's sources; of a file that stands there alone, its name. Else undefined. */
export function roomOf(file: string): string | undefined {
  return /^packages\/runtime-cli\/src\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(file)?.[1]
}

/** The same of core, where the rooms of the host stand on a floor of their own. */
export function coreRoomOf(file: string): string | undefined {
  return /^packages\/core\/src\/(?:host\/)?([^/]+?)(?:\.ts)?(?:\/|$)/.exec(file)?.[1]
}

export interface Floor {
  readonly name: string
  readonly rooms: RegExp
}

/** Of core, the lowest first. */
export const floors: readonly Floor[] = [
  {
    name: 'words and plans',
    rooms: /^packages\/core\/(generated|src\/(abi|dbus|errors|hook|oci|plan|seccomp))\//,
  },
  { name: 'system calls', rooms: /^packages\/core\/src\/(sys|liblxc)\// },
  { name: 'the host', rooms: /^packages\/core\/src\/host\// },
]

/** Undefined of what is not core's, and of what stands on no floor. */
export function floorOf(file: string): Floor | undefined {
  return floors.find(({ rooms }) => rooms.test(file))
}
