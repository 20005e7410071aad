import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** config.json, as far as the benchmark changes it. */
// biome-ignore lint/suspicious/noExplicitAny: the specs here are what other programs write, changed in a few places
export type Config = any

/** Makes `runc spec`'s bundle with Debian's static busybox as its whole image; its process sleeps. Returns its path. */
export function makeBenchBundle(directory: string): string {
  const bundle = join(directory, 'bundle')
  const rootfs = join(bundle, 'rootfs')
  for (const name of ['bin', 'dev', 'proc', 'sys']) mkdirSync(join(rootfs, name), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of ['sleep', 'readlink']) symlinkSync('busybox', join(rootfs, 'bin', applet))

  const runc = spawnSync('runc', ['spec', '--bundle', bundle], { encoding: 'utf8' })
  if (runc.status !== 0) throw new Error(`runc spec failed: ${runc.error?.message ?? runc.stderr}`)
  rewrite(bundle, (spec) => Object.assign(spec.process, { terminal: false, args: ['/bin/sleep', '1000000'] }))
  return bundle
}

/** A copy of the bundle with another config.json. */
export function copyBundle(bundle: string, name: string, change: (spec: Config) => void): string {
  const copy = `${bundle}-${name}`
  cpSync(bundle, copy, { recursive: true, verbatimSymlinks: true })
  rewrite(copy, change)
  return copy
}

function rewrite(bundle: string, change: (spec: Config) => void): void {
  const path = join(bundle, 'config.json')
  const spec = JSON.parse(readFileSync(path, 'utf8'))
  change(spec)
  writeFileSync(path, JSON.stringify(spec, null, 2))
}

/** linux.seccomp as podman writes it for a container with the default capabilities. */
export function podmanProfile(): Config {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/seccomp/podman.json'), 'utf8'))
}
