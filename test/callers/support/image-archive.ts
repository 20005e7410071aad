/** The image of these tests, made of Debian's static busybox and of nothing that a registry has. */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { makeBundle } from '../../support/bundle.ts'

/** What `ctr image import` and `podman load` call the image of imageArchive(). */
export const imageName = 'localhost/callers-busybox:latest'

/** Packs the root file system of a bundle, and /data with a file in it; path of the archive. */
export async function rootfsArchive(directory: string): Promise<string> {
  const { rootfs } = await makeBundle(directory)
  mkdirSync(join(rootfs, 'data'))
  writeFileSync(join(rootfs, 'data/from-the-image'), 'kept\n')
  const archive = join(directory, 'rootfs.tar')
  await execa('tar', [
    '--create',
    '--numeric-owner',
    // buildah's ADD cannot make a hard link to a symlink.
    '--hard-dereference',
    '--owner=0',
    '--group=0',
    '--directory',
    rootfs,
    '--file',
    archive,
    '.',
  ])
  rmSync(dirname(rootfs), { recursive: true })
  return archive
}

/** The same as an image of one layer, as `docker save` writes it; its command is `command`. */
export async function imageArchive(directory: string, command: readonly string[]): Promise<string> {
  const parts = join(directory, 'image')
  mkdirSync(parts)
  copyFileSync(await rootfsArchive(directory), join(parts, 'layer.tar'))
  const digest = createHash('sha256')
    .update(readFileSync(join(parts, 'layer.tar')))
    .digest('hex')
  const config = {
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64' | 'arm64'],
    os: 'linux',
    config: { Env: ['PATH=/bin', 'FROM=the image'], Cmd: command },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  }
  writeFileSync(join(parts, 'config.json'), JSON.stringify(config))
  const manifest = [{ Config: 'config.json', RepoTags: [imageName], Layers: ['layer.tar'] }]
  writeFileSync(join(parts, 'manifest.json'), JSON.stringify(manifest))
  const archive = join(directory, 'image.tar')
  await execa('tar', ['--create', '--directory', parts, '--file', archive, 'manifest.json', 'config.json', 'layer.tar'])
  rmSync(parts, { recursive: true })
  return archive
}
