/** Containers in user namespaces: their ids, and images that belong to these. */
import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from './bundle.ts'
import { type IdMapping, type Spec, setNamespace } from './spec.ts'

/** First id on the host, and how many. */
export const FIRST = 100_000
export const COUNT = 65_536

const whole: readonly IdMapping[] = [{ containerID: 0, hostID: FIRST, size: COUNT }]

/** A new user namespace with these ids for users and groups. */
export function mapIds(spec: Spec, uids: readonly IdMapping[] = whole, gids: readonly IdMapping[] = uids): void {
  setNamespace(spec, 'user')
  spec.linux.uidMappings = [...uids]
  spec.linux.gidMappings = [...gids]
}

/** Gives the image to root of the namespace, which may reach it; files with several names are everybody's. */
export function giveImage({ path, rootfs }: Bundle, owner = FIRST): void {
  chmodSync(path, 0o755)
  const give = (path: string): void => {
    const stat = lstatSync(path)
    if (stat.isDirectory()) for (const name of readdirSync(path)) give(join(path, name))
    if (stat.isDirectory() || stat.nlink === 1) lchownSync(path, owner, owner)
  }
  give(rootfs)
}
