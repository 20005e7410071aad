/** Paths as text, path_resolution(7): nothing is looked up. */

/** Without `.`, `..` and repeated slashes; an absolute path stays below the root. */
export function normalizePath(path: string): string {
  const absolute = path.startsWith('/')
  const kept: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') kept.push(name)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!absolute) kept.push('..')
  }
  return (absolute ? '/' : '') + kept.join('/') || (absolute ? '/' : '.')
}

/** `path` as it is meant in the directory `base`, which is absolute. */
export function resolvePath(base: string, path: string): string {
  return normalizePath(path.startsWith('/') ? path : `${base}/${path}`)
}
