/** The programs for arm64, on a machine that is none. */
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { cache } from '../build-cache.ts'
import { arm64Compiler, arm64Packages, arm64Target } from '../engine-target.ts'
import { installPrograms } from '../programs.ts'

const root = resolve(import.meta.dirname, '../..')

/** Returns a directory with `bin` and `libexec`. Needs what `npm run build` makes. */
export function crossPrograms(): string {
  const prefix = join(cache, 'dist-arm64')
  const compiled = join(cache, 'compiled-arm64')
  const start = join(compiled, 'crio-lxc-start')
  const init = join(compiled, 'crio-lxc-init')
  compile('start-monitor', start, liblxcOptions(arm64Packages()))
  compile('init', init)
  installPrograms(prefix, { start, init }, arm64Target())
  return prefix
}

function compile(name: string, path: string, options: readonly string[] = []): void {
  const script = ['--import', join(root, 'scripts/typescript.js'), 'compile.ts']
  execFileSync(process.execPath, [...script, path, ...options], {
    cwd: join(root, 'packages', name),
    env: { ...process.env, CC: arm64Compiler },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

/** What liblxc needs itself is not unpacked, and its symbols are its own affair. */
function liblxcOptions(packages: string): string[] {
  return [
    ...['-isystem', join(packages, 'usr/include')],
    `-L${join(packages, 'usr/lib/aarch64-linux-gnu')}`,
    '-Wl,--unresolved-symbols=ignore-in-shared-libs',
  ]
}
