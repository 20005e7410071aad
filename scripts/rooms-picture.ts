/**
 * Draws the rooms of the packages into docs/architecture.md, from the imports: `npm run docs`. A unit test fails when the
 * document is not what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coreRoomOf, floorOf, floors, type Import, importsOf, isFile, roomOf } from './imports.ts'

const root = join(import.meta.dirname, '..')
const path = join(root, 'docs/architecture.md')

type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** docs/architecture.md as it should be: `document` with the pictures between their marks. */
export async function withPictures(document: string): Promise<string> {
  const edges = (await importsOf(root)).filter(({ to }) => isFile(to))
  const pictures = {
    packages: picture(edges, packageOf),
    rooms: picture(edges, roomOf),
    floors: pictureOfFloors(edges),
  }
  return Object.entries(pictures).reduce(
    (text, [name, drawn]) =>
      text.replace(
        new RegExp(`(<!-- ${name}: begin -->\n).*(<!-- ${name}: end -->)`, 's'),
        (_, begin: string, end: string) => `${begin}${drawn}${end}`,
      ),
    document,
  )
}

const packageOf = (file: string): string | undefined => /^packages\/([^/]+)\/src\//.exec(file)?.[1]

function picture(edges: readonly Import[], nodeOf: (file: string) => string | undefined): string {
  return flowchart(arrows(edges, nodeOf))
}

/** The rooms of core, each floor with a frame around it. */
function pictureOfFloors(edges: readonly Import[]): string {
  const files = edges.flatMap(({ from, to }) => [from, to])
  const frames = floors.toReversed().map((floor) => {
    const rooms = files.filter((file) => floorOf(file) === floor).flatMap((file) => coreRoomOf(file) ?? [])
    const lines = [...new Set(rooms)].sort().map((room) => `    ${room}\n`)
    return `  subgraph "${floor.name}"\n${lines.join('')}  end\n`
  })
  return flowchart([...frames, ...arrows(edges, coreRoomOf)])
}

function flowchart(lines: readonly string[]): string {
  return `\`\`\`mermaid\nflowchart TD\n${lines.join('')}\`\`\`\n`
}

/** They lead from who imports to what is imported. What an arrow by a longer way says already is left out. */
function arrows(edges: readonly Import[], nodeOf: (file: string) => string | undefined): string[] {
  return [...reduced(graphOf(edges, nodeOf))]
    .flatMap(([from, targets]) => [...targets].map((to) => `  ${from} --> ${to}\n`))
    .sort()
}

function graphOf(edges: readonly Import[], nodeOf: (file: string) => string | undefined): Graph {
  const graph = new Map<string, Set<string>>()
  for (const edge of edges) {
    const [from, to] = [nodeOf(edge.from), nodeOf(edge.to)]
    if (from !== undefined && to !== undefined && from !== to) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  }
  return graph
}

/** Without the edges that a path of two or more says as well. Only right of a graph without cycles. */
function reduced(graph: Graph): Graph {
  const reach = (from: string): Set<string> => new Set([...(graph.get(from) ?? [])].flatMap((to) => [to, ...reach(to)]))
  return new Map(
    [...graph].map(([from, targets]) => {
      const farther = new Set([...targets].flatMap((to) => [...reach(to)]))
      return [from, new Set([...targets].filter((to) => !farther.has(to)))]
    }),
  )
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, await withPictures(readFileSync(path, 'utf8')))
