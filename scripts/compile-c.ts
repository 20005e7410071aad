/** Compiles one C program into dist/; `CC` names another compiler, for instance a cross compiler. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Runs the compiler over `source`; its diagnostics go to stderr and any of them fails the build. */
export function compileC(source: string, output: string, flags: readonly string[]): void {
  mkdirSync(dirname(output), { recursive: true })
  const cc = process.env['CC'] || 'cc'
  try {
    execFileSync(cc, ['-std=gnu11', '-Wall', '-Wextra', '-Werror', source, '-o', output, ...flags], {
      stdio: 'inherit',
    })
  } catch (cause) {
    throw new Error(`compile ${source} with ${cc}: see above, and README.md for the packages that building takes`, {
      cause,
    })
  }
}
