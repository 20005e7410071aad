/** Fields that no row of the support table knows. config.md, "Extensibility", has them ignored. PURE. */
import { fieldOf, itemOf } from './field-path.ts'
import { support } from './support.ts'
import type { Row } from './walk-fields.ts'

/** Names in one message, and letters of each: a document may have a million of them, or one of a million letters. */
const NAMED = 20
const LONGEST = 200

/** Their paths, and how many more there are; undefined when all fields are known. `document`: config.json or a part of it. */
export function describeUnknownFields(document: object): string | undefined {
  const paths = unknownFields(document, support, '')
  if (paths.length === 0) return undefined
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
  return `${paths.slice(0, NAMED).map(shorten).join(', ')}${more}`
}

function unknownFields(object: object, rows: Readonly<Record<string, Row>>, path: string): string[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const field = fieldOf(path, name)
    if (!Object.hasOwn(rows, name)) return [field]
    const row = rows[name] as Row
    if (row === 'supported' || !isObject(value)) return []
    if ('fields' in row) return unknownFields(value, row.fields, field)
    if (!('each' in row) || !Array.isArray(value)) return []
    return value.flatMap((item, index) => (isObject(item) ? unknownFields(item, row.each, itemOf(field, index)) : []))
  })
}

function shorten(path: string): string {
  return path.length > LONGEST ? `${path.slice(0, LONGEST)}...` : path
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
