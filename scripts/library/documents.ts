/**
 * Writes what is known of the library from its types: docs/library-api.txt, all of the public surface in one text, and
 * docs/library-reference.md, what the comments say of it: `npm run docs`. A unit test fails when they are not what would be
 * written.
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { publicDeclarations, type Reached, typesOf } from './declarations.ts'

const docs = resolve(import.meta.dirname, '../../docs')

/** Texts by the names of their files. */
export function libraryDocuments(): Readonly<Record<string, string>> {
  const declarations = publicDeclarations()
  return { 'library-api.txt': report(declarations), 'library-reference.md': reference(declarations) }
}

/** Comments may change without anybody noticing in a program. */
function report(declarations: readonly Reached[]): string {
  return typesOf(declarations.map((each) => ({ ...each, comment: '', text: withoutComments(each.text) })))
}

function reference(declarations: readonly Reached[]): string {
  const isOfSpec = ({ module }: Reached): boolean => /^core\/src\/oci\/(linux|resources|spec|integers)$/.test(module)
  const named = declarations.filter(({ isPublic }) => isPublic)
  const spec = named.filter(isOfSpec).map(({ name }) => `\`${name}\``)
  const sections = named.filter((each) => !isOfSpec(each)).map(sectionOf)
  return `# Reference of the library

Written by \`npm run docs\` from the comments of \`packages/runtime-cli/src/library\` and what it exports; do not edit.
[library.md](library.md) says how the parts belong together, and [library-api.txt](library-api.txt) has all types in full.

${sections.join('\n')}
## Types of the runtime-spec

In the spec's spelling, with what it says of them in comments: ${spec.join(', ')}.
`
}

function sectionOf({ name, comment, text }: Reached): string {
  const body = text.replace(/^ {4}/gm, '  ').replace(/;$/gm, '')
  return `## ${name}\n\n${comment === '' ? '' : `${proseOf(comment)}\n\n`}\`\`\`ts\n${body}\n\`\`\`\n`
}

function proseOf(comment: string): string {
  return comment
    .replace(/^\s*\/\*\*\s?|\s*\*\/\s*$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .trim()
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
}

if (process.argv[1] === import.meta.filename)
  for (const [name, text] of Object.entries(libraryDocuments())) writeFileSync(join(docs, name), text)
