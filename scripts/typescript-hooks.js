/**
 * Passes each TypeScript file through esbuild when Node imports it: Node 20 cannot read TypeScript at all, and 22 and 24
 * not without flags when it has parameter properties. This file and typescript.js are JavaScript so that the others
 * need not be. Nothing is cached: builds run as root, and a cache below /tmp may have been laid there by anybody.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

/** The load hook of node:module's customization hooks. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  const sourcefile = fileURLToPath(url)
  const { code } = await transform(await readFile(sourcefile), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile,
    sourcemap: 'inline',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  return { format: 'module', source: code, shortCircuit: true }
}
