/** Walks a document along the support table, so that unknown fields and other platforms' objects stay unseen. */

import type { Decision } from './decision.ts'
import { fieldOf, itemOf } from './field-path.ts'

/** What the table says about a field whose value is not opened further. */
export type Leaf = Decision | { readonly values: Readonly<Record<string, Decision>> }

/** Any row of the table. */
export type Row =
  | Leaf
  | { readonly fields: Readonly<Record<string, Row>> }
  | { readonly each: Readonly<Record<string, Row>> }

/** `parent` is the path of the object that has the field `name`: paths are put together only for an error. */
export type Visit = (value: unknown, leaf: Leaf, parent: string, name: string) => void

/** Calls `visit` for each field that `rows` knows, in the document's order. Ignored fields are left out. */
export function walkFields(object: object, rows: Readonly<Record<string, Row>>, path: string, visit: Visit): void {
  for (const [name, value] of Object.entries(object)) {
    if (!Object.hasOwn(rows, name)) continue
    const row = rows[name] as Row
    if (row === 'supported') visit(value, row, path, name)
    else if ('fields' in row) walkFields(value, row.fields, fieldOf(path, name), visit)
    else if ('each' in row) walkItems(value, row.each, fieldOf(path, name), visit)
    else if (!('ignored' in row)) visit(value, row, path, name)
  }
}

function walkItems(items: readonly object[], rows: Readonly<Record<string, Row>>, path: string, visit: Visit): void {
  for (const [index, item] of items.entries()) walkFields(item, rows, itemOf(path, index), visit)
}
