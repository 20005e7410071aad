/** Fields in the spec's spelling: `linux.namespaces[2].type`, `annotations["a.b/c"]`. */

/** The field `name` of the object at `path`; `''` is the document. */
export function fieldOf(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** The item `index` of the array at `path`. */
export function itemOf(path: string, index: number): string {
  return `${path}[${index}]`
}

/** What the names and indices `parts` lead to in `document`, and its path below `root`. */
export function resolveParts(
  document: unknown,
  parts: readonly string[],
  root: string,
): { path: string; value: unknown } {
  let path = root
  let value = document
  for (const name of parts) {
    path = Array.isArray(value) ? itemOf(path, Number(name)) : fieldOf(path, name)
    value = (value as Record<string, unknown>)[name]
  }
  return { path, value }
}
