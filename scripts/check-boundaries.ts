/**
 * Who may import whom: the floors of core, and the programs upon them (docs/architecture.md). Fails with one line per import
 * against the layers, and per cycle. Type imports count as well: a planner that knows a host type is not pure.
 * `check-boundaries.ts [ROOT]` looks at ROOT/packages, by default this repository's.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { coreRoomOf, floorOf, floors, type Import, importsOf, isFile, roomOf, sources } from './imports.ts'

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'))

interface Rule {
  says: string
  forbids: (edge: Import) => boolean
}

const programs = /^packages\/(runtime-cli|start-monitor|init|hook)\//
const core = /^packages\/core\//
/** Words, planners and constants. Those of one subject of the host stand in its `plan/`. */
const pure = (file: string): boolean =>
  floorOf(file) === floors[0] ||
  /^packages\/[^/]+\/src\/(.*\/)?plan\/|^packages\/(init|start-monitor)\/src\/|^packages\/runtime-cli\/src\/settings\.ts$/.test(
    file,
  )
/** What other programs import: it runs on Node alone. */
const library = /^packages\/runtime-cli\/src\/library\//
/** What the verbs are made of, by subject: everything of runtime-cli below src/ but the verbs and who calls them. */
const rooms = /^packages\/runtime-cli\/src\/(?!(lifecycle|commands|command-line|library)\/)[^/]+\//
const verbs = /^packages\/runtime-cli\/src\/lifecycle\//
const commandLine = /^packages\/runtime-cli\/src\/(commands|command-line)\//
/** Of the other programs, those that start init or the monitor may know what compiles their plans. */
const planners: Readonly<Record<string, RegExp>> = {
  'packages/runtime-cli': /^packages\/(init|start-monitor)\/src\//,
  'packages/hook': /^packages\/init\/src\//,
}

/** Of the project, by one module. */
const MOST_IMPORTS = 20

const rules: Rule[] = [
  {
    says: 'core imports no program',
    forbids: ({ from, to }) => core.test(from) && programs.test(to),
  },
  {
    says: 'programs meet only through argv, files and fifos; runtime-cli may import init and start-monitor, hook may import init',
    forbids: ({ from, to }) =>
      programs.test(from) &&
      programs.test(to) &&
      packageOf(from) !== packageOf(to) &&
      !planners[packageOf(from)]?.test(to),
  },
  {
    says: 'the verbs are made of the rooms, and no room knows a verb or the command line',
    forbids: ({ from, to }) => rooms.test(from) && (verbs.test(to) || commandLine.test(to)),
  },
  {
    says: 'the verbs know nothing of the command line',
    forbids: ({ from, to }) => verbs.test(from) && commandLine.test(to),
  },
  {
    says: 'pure code imports only pure code',
    forbids: ({ from, to }) => pure(from) && !(isFile(to) && pure(to)),
  },
  {
    says: 'a floor of core knows nothing above it',
    forbids: ({ from, to }) => [from, to].every(floorOf) && heightOf(from) < heightOf(to),
  },
  {
    says: 'everything of core stands on a floor',
    forbids: ({ from, to }) => [from, to].some((file) => core.test(file) && floorOf(file) === undefined),
  },
  {
    says: 'the planners of init and of the monitor know nothing of the host',
    forbids: ({ from, to }) =>
      /^packages\/(init|start-monitor)\//.test(from) && /^packages\/core\/src\/host\//.test(to),
  },
  {
    says: 'packages/core/src/sys/node-engine.ts alone loads the native module',
    forbids: ({ from, to }) => isPackage(to, 'koffi') && from !== 'packages/core/src/sys/node-engine.ts',
  },
  {
    says: 'packages/core/src/sys/node-engine.ts and the library alone know modules of Node: the engine of the executables has none',
    forbids: ({ from, to }) =>
      to.startsWith('node:') && from !== 'packages/core/src/sys/node-engine.ts' && !library.test(from),
  },
  {
    says: 'no program contains the library',
    forbids: ({ from, to }) => library.test(to) && !library.test(from),
  },
  {
    says: 'yargs renders the help when building: nothing that runs later imports it',
    forbids: ({ to }) => isPackage(to, 'yargs'),
  },
  {
    says: 'bunyan is only for packages/core/src/host/log',
    forbids: ({ from, to }) => isPackage(to, 'bunyan') && !from.startsWith('packages/core/src/host/log/'),
  },
  {
    says: 'programs contain no tests and no build scripts',
    forbids: ({ to }) => /^(test|scripts)\//.test(to),
  },
]

const edges = await importsOf(root)
const violations = edges.flatMap((edge) =>
  rules.filter(({ forbids }) => forbids(edge)).map(({ says }) => `${edge.from} imports ${edge.to}: ${says}`),
)
const problems = [
  ...violations,
  ...overfull(),
  ...cycles(edges.filter(({ to }) => isFile(to))).map((files) => `import cycle: ${files.join(' -> ')}`),
  ...[roomOf, coreRoomOf]
    .flatMap((nameOf) => cycles(betweenRooms(edges, nameOf)))
    .map((names) => `cycle of rooms: ${names.join(' -> ')}`),
]
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log(`${edges.length} imports keep to the layers`)

/** Modules that know more of the others than a reader can keep in mind. */
function overfull(): string[] {
  return sources(root).flatMap((file) => {
    const count = importedValues(readFileSync(file, 'utf8'))
    if (count <= MOST_IMPORTS) return []
    return [`${file.slice(root.length + 1)} imports ${count} modules of the project: more than ${MOST_IMPORTS}`]
  })
}

/** How many modules of the project it loads at its start; types are there for the compiler alone. */
function importedValues(source: string): number {
  const statements = source.matchAll(
    /^(?:import|export) (?!type )[^;'"]*?from '((?:\.|@crio-lxc\/)[^']*)'|^import '((?:\.|@crio-lxc\/)[^']*)'/gm,
  )
  return new Set(Array.from(statements, ([, from, bare]) => from ?? bare)).size
}

/** The imports by one room of another. */
function betweenRooms(edges: readonly Import[], nameOf: (file: string) => string | undefined): Import[] {
  return edges
    .map(({ from, to }) => ({ from: nameOf(from), to: nameOf(to) }))
    .filter((edge): edge is Import => edge.from !== undefined && edge.to !== undefined && edge.from !== edge.to)
}

/** Each cycle once, as what lies along it. */
function cycles(edges: readonly Import[]): string[][] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const found: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file)
    if (start !== -1) found.push([...path.slice(start), file])
    if (start !== -1 || done.has(file)) return
    for (const target of next.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  // esbuild resolves in parallel: only sorted does a cycle begin at the same file each time.
  for (const file of [...next.keys()].sort()) visit(file, [])
  return found
}

function heightOf(file: string): number {
  return floors.findIndex(({ rooms }) => rooms.test(file))
}

function isPackage(to: string, name: string): boolean {
  return to === name || to.startsWith(`${name}/`)
}

function packageOf(file: string): string {
  return file.split('/').slice(0, 2).join('/')
}
