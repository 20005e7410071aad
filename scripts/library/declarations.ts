/**
 * The types of the npm package as one file: what the compiler emits for the sources, of it the declarations that the public
 * ones need, and nothing of where they come from.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const ENTRY = 'runtime-cli/src/library/index'

/** A declaration of a module's top level, with the comment above it. */
interface Declaration {
  readonly name: string
  readonly comment: string
  /** Without `export` and `declare`. */
  readonly text: string
}

interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>
  /** What is imported, or exported from elsewhere: the local name, the module and the name there. */
  readonly references: ReadonlyMap<string, readonly [module: string, name: string]>
  /** Modules all of whose types are exported. */
  readonly stars: readonly string[]
}

/** index.d.ts. */
export function typesOf(declarations: readonly Reached[]): string {
  return declarations
    .map(({ comment, text, isPublic }) => `${comment}${isPublic ? 'export ' : ''}${declared(text)}\n`)
    .concat('export {}\n')
    .join('')
}

function declared(text: string): string {
  return /^(interface|type) /.test(text) ? text : `declare ${text}`
}

export interface Reached extends Declaration {
  /** Its source, as a path below packages/ without an ending. */
  readonly module: string
  readonly isPublic: boolean
}

/** All that the package exports, and what that needs, sorted by name. Throws when two of them have one name. */
export function publicDeclarations(): Reached[] {
  const directory = mkdtempSync(join(tmpdir(), 'declarations-'))
  try {
    compile(directory)
    return reached((module) => parse(readFileSync(join(directory, 'out', `${module}.d.ts`), 'utf8'), module))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function compile(directory: string): void {
  const config = join(directory, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: join(directory, 'out'),
    rootDir: join(root, 'packages'),
    typeRoots: [join(root, 'node_modules/@types')],
    // What is found by way of node_modules is taken for somebody else's, and has no types emitted.
    paths: Object.fromEntries(
      ['core', 'init', 'start-monitor'].map((name) => [
        `@crio-lxc/${name}/*`,
        [join(root, `packages/${name}/src/*.ts`)],
      ]),
    ),
  }
  const files = [join(root, `packages/${ENTRY}.ts`)]
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files }))
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', config], { stdio: 'inherit' })
}

function reached(load: (module: string) => Module): Reached[] {
  const modules = new Map<string, Module>()
  const moduleOf = (name: string): Module => {
    const module = modules.get(name) ?? load(name)
    modules.set(name, module)
    return module
  }
  const found = new Map<string, Reached>()
  const visit = (module: string, name: string, isPublic: boolean): void => {
    const { declarations, references } = moduleOf(module)
    const reference = references.get(name)
    const declaration = declarations.get(name)
    if (!declaration) {
      if (reference) visit(...reference, isPublic)
      return
    }
    const known = found.get(declaration.name)
    if (known && known.module !== module)
      throw new Error(`${declaration.name} of ${module} and of ${known.module}: one of them needs another name`)
    if (known && (known.isPublic || !isPublic)) return
    found.set(declaration.name, { ...declaration, module, isPublic })
    if (known) return
    for (const [word] of declaration.text.replace(/\/\*\*[\s\S]*?\*\//g, '').matchAll(/[A-Za-z_$][\w$]*/g))
      if (word !== name) visit(module, word, false)
  }
  const entry = moduleOf(ENTRY)
  for (const [name] of entry.references) visit(ENTRY, name, true)
  for (const star of entry.stars) for (const [name] of moduleOf(star).declarations) visit(star, name, true)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Of what the compiler prints: every declaration begins at the margin, and what belongs to it is indented. */
function parse(text: string, module: string): Module {
  const declarations = new Map<string, Declaration>()
  const references = new Map<string, readonly [string, string]>()
  const stars: string[] = []
  let comment = ''
  for (const [piece] of text.matchAll(/^\/\*\*[\s\S]*?\*\/\n|^[^\s}/][^\n]*(?:\n(?=[\s}])[^\n]*)*\n?/gm)) {
    if (piece.startsWith('/**')) {
      comment = piece
      continue
    }
    const [, kind, list = '', from = ''] =
      /^(import|export) (?:type )?(\*|\{[\s\S]*?\}) from ['"](.+)['"];/.exec(piece) ?? []
    if (list === '*') stars.push(targetOf(from, module))
    else if (kind !== undefined)
      for (const [, name = '', local = name] of list.matchAll(/(?:type )?([\w$]+)(?: as ([\w$]+))?/g))
        references.set(local, [targetOf(from, module), name])
    const declaration = piece.replace(/^export /, '').replace(/^declare /, '')
    const [, name] = /^(?:abstract )?(?:class|interface|type|const|function|enum) ([\w$]+)/.exec(declaration) ?? []
    if (name !== undefined && kind === undefined) declarations.set(name, { name, comment, text: declaration.trimEnd() })
    comment = ''
  }
  return { declarations, references, stars }
}

function targetOf(name: string, from: string): string {
  if (name.startsWith('.')) return join(dirname(from), name.replace(/\.ts$/, ''))
  const [, workspace, path] = /^@crio-lxc\/([^/]+)\/(.+)$/.exec(name) ?? []
  return `${workspace}/src/${path}`
}
