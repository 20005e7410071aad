/**
 * Makes generated/validate-config.js from the types of src/oci: types -> JSON schema -> ajv's standalone code. The
 * hot path then loads plain functions, neither a schema nor ajv, which takes over 100 ms to compile one.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { _, Ajv, type Code, type CodeKeywordDefinition, type Name } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
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

/** Exported function to the type that it checks. */
const validators = { checkSpec: 'Spec', checkProcess: 'Process', checkResources: 'Resources' }

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

/** The same with one keyword for what a single value must be; ajv walks, `is` decides and words the error. */
interface Checked {
  $ref?: string
  is?: Schema
  items?: Checked
  properties?: Record<string, Checked>
  required?: string[]
  additionalProperties?: Checked
}

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const definitions = definitionsOf('Spec')

const ajv = new Ajv({
  code: { source: true, esm: true, lines: true, optimize: 2 },
  inlineRefs: false,
  messages: false,
  strictTypes: false,
})
ajv.addKeyword(isKeyword())
const checked = Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, toChecked(schema)]))
ajv.addSchema({ $id: 'config', definitions: checked })
for (const [name, type] of Object.entries(validators)) ajv.addSchema({ $ref: `config#/definitions/${type}` }, name)
const code = standalone.default(ajv, Object.fromEntries(Object.keys(validators).map((name) => [name, name])))
if (/\brequire\(/.test(code)) throw new Error('the generated validator requires a module at run time')

mkdirSync(here('generated'), { recursive: true })
writeFileSync(here('generated/validate-config.js'), withoutUnused(code))
writeFileSync(
  here('generated/validate-config.d.ts'),
  `/** The first thing wrong: params is \`{ is: what belongs there }\` or \`{ missingProperty: its name }\`. */
export interface SchemaError { readonly instancePath: string; readonly params: { readonly is?: string; readonly missingProperty?: string } }
/** False when the value is not of the type; \`errors\` then has one entry, until the next call. */
export interface Check { (value: unknown): boolean; errors?: readonly SchemaError[] | null }
${Object.keys(validators)
  .map((name) => `export declare const ${name}: Check`)
  .join('\n')}
`,
)

/** The schemas themselves and the parts of ajv's error objects that nobody reads: half of the text. */
function withoutUnused(source: string): string {
  return source.replace(/^const schema\d+ = .*\n/gm, '').replace(/schemaPath:"[^"]*",keyword:"\w+",/g, '')
}

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

/** Objects stay references, so that each is one function; what is a single value is checked in place. */
function toChecked(schema: Schema): Checked {
  const target = resolve(schema)
  if (target !== schema && target.type === 'object') return { $ref: schema.$ref as string }
  const { items, properties, required } = target
  const result: Checked = { is: target }
  if (items) result.items = toChecked(items)
  if (required) result.required = required
  if (properties) {
    result.properties = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, toChecked(field)]))
  }
  const values = valuesOf(target)
  if (values) result.additionalProperties = toChecked(values)
  return result
}

/** `is: schema`: the type, the range and the enumeration of a value, with one error that says it in words. */
function isKeyword(): CodeKeywordDefinition {
  return {
    keyword: 'is',
    schemaType: 'object',
    error: { message: '', params: (context) => _`{is: ${phrase(context.schema as Schema)}}` },
    code: (context) => context.fail(_`!(${condition(context.schema as Schema, context.data)})`),
  }
}

function condition({ type, enum: words, minimum, maximum, int64 }: Schema, data: Name): Code {
  if (int64 !== undefined) {
    const [safe, least, most] =
      int64 === 'signed'
        ? [-Number.MAX_SAFE_INTEGER, _`-9223372036854775808n`, _`9223372036854775807n`]
        : [0, _`0n`, _`18446744073709551615n`]
    return _`typeof ${data} === "bigint" ? ${data} >= ${least} && ${data} <= ${most} : Number.isSafeInteger(${data}) && ${data} >= ${safe}`
  }
  if (words) return words.map((word) => _`${data} === ${word}`).reduce((either, or) => _`${either} || ${or}`)
  if (type === 'array') return _`Array.isArray(${data})`
  if (type === 'object') return _`typeof ${data} === "object" && ${data} !== null && !Array.isArray(${data})`
  if (type === 'integer') return _`Number.isInteger(${data}) && ${data} >= ${minimum} && ${data} <= ${maximum}`
  if (type === 'string' || type === 'boolean') return _`typeof ${data} === ${type}`
  throw new Error(`no check is known for ${JSON.stringify({ type })}`)
}

function phrase(schema: Schema): string {
  const { type, enum: words, minimum, maximum, int64, items } = schema
  if (int64 !== undefined) return `an integer from ${int64 === 'signed' ? '-2^63 to 2^63-1' : '0 to 2^64-1'}`
  if (words) return `${words.length > 1 ? 'one of ' : ''}${words.map((word) => JSON.stringify(word)).join(', ')}`
  if (type === 'integer') return `an integer from ${minimum} to ${maximum}`
  if (items) return `an array of ${plural(items)}`
  const values = valuesOf(schema)
  if (values) return `an object of ${plural(values)}`
  return type === 'object' ? 'an object' : `a ${type}`
}

function plural(schema: Schema): string {
  return `${resolve(schema).type}s`
}

/** What the values of a map are. */
function valuesOf({ additionalProperties: values }: Schema): Schema | undefined {
  return typeof values === 'object' && Object.keys(values).length > 0 ? values : undefined
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.replace('#/definitions/', '')
  return name === undefined ? schema : resolve(definitions[name] ?? {})
}
