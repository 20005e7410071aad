/**
 * JSON texts that JSON.stringify cannot write: numbers beyond a double, deep nesting. A document carries them as strings
 * of this form until it is written.
 */
const mark = /"@raw\((.*?)\)@"/g

/** Stands for `json` in the text of the document. */
export function raw(json: string): string {
  return `@raw(${json})@`
}

export function toText(document: unknown): string {
  return (JSON.stringify(document) ?? 'null').replace(mark, '$1')
}
