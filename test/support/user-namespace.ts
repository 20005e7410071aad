/** Containers in user namespaces: their ids, and images that belong to these. */
import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle, BundleOptions } from './bundle.ts'
import type { Containers } from './containers.ts'
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

/** Bundles in a user namespace that `enter` asks for, whose image belongs to its root; `shell` runs a script there. */
export function mappedBundles(t: Containers) {
  const mapped = async (options: BundleOptions = {}, enter: (spec: Spec) => void = mapIds): Promise<Bundle> => {
    const bundle = await t.bundle({
      ...options,
      spec: (spec) => {
        enter(spec)
        options.spec?.(spec)
      },
    })
    giveImage(bundle)
    return bundle
  }
  const shell = (script: string, options: BundleOptions = {}): Promise<Bundle> =>
    mapped({ args: ['sh', '-c', script], ...options })
  return { mapped, shell }
}
