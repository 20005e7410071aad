import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes `runc spec`'s bundle with Debian's static busybox as its whole image; its process sleeps. Returns its path. */
export function makeBenchBundle(directory: string): string {
  const bundle = join(directory, 'bundle')
  const rootfs = join(bundle, 'rootfs')
  for (const name of ['bin', 'dev', 'proc', 'sys']) mkdirSync(join(rootfs, name), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of ['sleep', 'true']) symlinkSync('busybox', join(rootfs, 'bin', applet))

  const runc = spawnSync('runc', ['spec', '--bundle', bundle], { encoding: 'utf8' })
  if (runc.status !== 0) throw new Error(`runc spec failed: ${runc.error?.message ?? runc.stderr}`)
  const path = join(bundle, 'config.json')
  const spec = JSON.parse(readFileSync(path, 'utf8'))
  spec.process.terminal = false
  spec.process.args = ['/bin/sleep', '1000000']
  writeFileSync(path, JSON.stringify(spec, null, 2))
  return bundle
}
