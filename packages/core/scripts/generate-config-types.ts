/**
 * Makes generated/config-types.js from the types of src/oci: types -> JSON schema -> the tables of src/oci/check-type.ts. Each
 * object is one table, however often it is used.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type BaseType,
  type CompletedConfig,
  createFormatter,
  createParser,
  createProgram,
  DEFAULT_CONFIG,
  NumberType,
  SchemaGenerator,
  type SubNodeParser,
} from 'ts-json-schema-generator'

/** The tables that others ask for. */
const exported = ['Spec', 'Process', 'Resources']

/** The part of JSON schema that the types produce. */
interface Schema {
  $ref?: string
  type?: string
  enum?: string[]
  minimum?: number
  maximum?: number
  int64?: 'signed' | 'unsigned'
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
}

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const definitions = definitionsOf('Spec')
const tables = new Map<string, string>()
for (const name of exported) addTable(name)

mkdirSync(here('generated'), { recursive: true })
writeFileSync(
  here('generated/config-types.js'),
  `${[...tables].map(([name, table]) => `const ${name} = ${table}\n`).join('')}export { ${exported.join(', ')} }\n`,
)
writeFileSync(
  here('generated/config-types.d.ts'),
  `import type { Type } from '../src/oci/check-type.ts'
${exported.map((name) => `export declare const ${name}: Type`).join('\n')}
`,
)

/** The definitions of the JSON schema of a type of src/oci/spec.ts. */
function definitionsOf(type: string): Record<string, Schema> {
  const config: CompletedConfig = {
    ...DEFAULT_CONFIG,
    path: here('src/oci/spec.ts'),
    tsconfig: here('tsconfig.json'),
    type,
    jsDoc: 'extended',
    additionalProperties: true,
    skipTypeCheck: true,
    sortProps: false,
  }
  const program = createProgram(config)
  const parser = createParser(program, config, (chain) => chain.addNodeParser(bigintParser()))
  const schema = new SchemaGenerator(program, parser, createFormatter(config), config).createSchema(type)
  const found = structuredClone(schema.definitions) as Record<string, Schema>
  return { ...found, Int64: { int64: 'signed' }, Uint64: { int64: 'unsigned' } }
}

/** `bigint` has no JSON schema: it passes as a number until Int64 and Uint64 are replaced. */
function bigintParser(): SubNodeParser {
  const bigintKeyword = 163
  return { supportsNode: (node) => node.kind === bigintKeyword, createType: (): BaseType => new NumberType() }
}

/** Adds the table of the object `name` to `tables`, those it names first. Returns what it is called. */
function addTable(name: string): string {
  if (!tables.has(name)) {
    const { properties = {}, required } = definitions[name] ?? {}
    const fields = Object.entries(properties).map(([field, schema]) => `${JSON.stringify(field)}: ${typeOf(schema)}`)
    const needs = required ? `, required: ${JSON.stringify(required)}` : ''
    tables.set(name, `{ fields: { ${fields.join(', ')} }${needs} }`)
  }
  return name
}

/** A schema as JavaScript of check-type.ts. */
function typeOf(schema: Schema): string {
  const { name, schema: found } = resolve(schema)
  const { type, enum: words, minimum, maximum, int64, items } = found
  if (int64 !== undefined) return `{ int64: ${JSON.stringify(int64)} }`
  if (words) return `{ words: ${JSON.stringify(words)} }`
  if (type === 'string' || type === 'boolean') return JSON.stringify(type)
  if (type === 'integer') return `{ integer: [${minimum}, ${maximum}] }`
  if (type === 'array' && items) return `{ items: ${typeOf(items)} }`
  const values = valuesOf(found)
  if (type === 'object' && values) return `{ values: ${typeOf(values)} }`
  if (type === 'object' && name !== undefined) return addTable(name)
  throw new Error(`no table is known for ${JSON.stringify(schema)}`)
}

/** What the values of a map are. */
function valuesOf({ additionalProperties: values }: Schema): Schema | undefined {
  return typeof values === 'object' && Object.keys(values).length > 0 ? values : undefined
}

/** What a reference leads to, and its last name. */
function resolve(schema: Schema, name?: string): { name: string | undefined; schema: Schema } {
  const next = schema.$ref?.replace('#/definitions/', '')
  return next === undefined ? { name, schema } : resolve(definitions[next] ?? {}, next)
}
