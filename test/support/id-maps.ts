/** Idmapped mounts: sources with files of known owners, and what a container sees of them. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { BundleOptions } from './bundle.ts'
import type { Containers } from './containers.ts'
import type { IdMapping, Mount } from './spec.ts'

/** Ids on disk from `containerID` are seen as those from `hostID`. */
export const idMap = (containerID: number, hostID: number, size = 1): IdMapping => ({ containerID, hostID, size })

/** A bind mount that shows root as root, uids 100 to 109 as 1000 and on, and gids 200 to 209 as 2000 and on. */
export function mountOf(from: string, to: string, mount: Partial<Mount> = {}): Mount {
  return {
    destination: to,
    type: 'bind',
    source: from,
    options: ['bind', 'idmap'],
    uidMappings: [idMap(0, 0), idMap(100, 1000, 10)],
    gidMappings: [idMap(0, 0), idMap(200, 2000, 10)],
    ...mount,
  }
}

export function useIdMaps(t: Containers) {
  /** A directory of the host with these files and their owners; a name that ends in a slash is a directory. */
  function source(files: Record<string, [uid: number, gid: number]> = {}): string {
    const path = t.hostDirectory()
    for (const [name, [uid, gid]] of Object.entries(files)) {
      if (name.endsWith('/')) mkdirSync(join(path, name))
      else writeFileSync(join(path, name), 'text\n')
      chownSync(join(path, name), uid, gid)
    }
    return path
  }

  return {
    source,

    /** A directory with a file of this owner, and below it a mount of another such directory. */
    sourceWithMountBelow(...owner: [uid: number, gid: number]): string {
      const [path, other] = [source({ file: owner, 'below/': [0, 0] }), source({ file: owner })]
      execFileSync('mount', ['--bind', other, join(path, 'below')])
      t.defer(() => void execFileSync('umount', [join(path, 'below')]))
      return path
    },

    /** Runs a script with these mounts, and returns what it printed, line by line. */
    async lines(script: string, mounts: Mount[], options: BundleOptions = {}): Promise<string[]> {
      const result = await t.run({
        args: ['sh', '-c', script],
        ...options,
        spec: (spec) => {
          spec.root.readonly = false
          spec.mounts.push(...mounts)
        },
      })
      expect(result, result.stderr).toMatchObject({ exitCode: 0 })
      return result.stdout.trim().split('\n')
    },

    /** A script that prints uid and gid of each file. */
    show: (...paths: string[]): string => `stat -c '%u:%g' ${paths.join(' ')}`,
  }
}
