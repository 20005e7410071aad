/** A mount is changed that the config.json does not seem to name: one of the host, over a tmpfs of the container. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Spec } from '../../support/spec.ts'
import type { Attack, Scene } from '../attack.ts'
import { edit, volume } from './config.ts'

/** A filesystem of the host that the spec gives to the container. */
function filesystem({ outside, defer }: Scene): string {
  const path = join(outside, 'filesystem')
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path])
  defer(() => void execFileSync('umount', [path]))
  return path
}

/** A tmpfs is remounted by a path that leads to /target, where a filesystem of the host has been put over it. */
function remounted(spec: Spec, destination: string, scene: Scene): void {
  scene.replace('target', (path) => mkdirSync(path))
  spec.mounts.push(
    { destination, type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] },
    { destination: '/target', type: 'bind', source: filesystem(scene), options: ['bind', 'ro'] },
    { destination, type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'size=1m'] },
  )
}

export const remountAttacks: readonly Attack[] = [
  {
    name: 'a tmpfs is remounted whose path is a link of the image to that of a bind',
    lesson: 'CVE-2021-30465',
    prepare: edit((spec, scene) => {
      scene.replace('link', (path) => symlinkSync('target', path))
      remounted(spec, '/link', scene)
    }),
    script: 'ls /link',
  },
  {
    name: 'a tmpfs is remounted whose path is a link of a volume to that of a bind',
    lesson: 'CVE-2021-30465',
    prepare: edit((spec, scene) => {
      const source = volume(scene)
      symlinkSync('/target', join(source, 'link'))
      spec.mounts.push({ destination: '/volume', type: 'bind', source, options: ['bind'] })
      remounted(spec, '/volume/link', scene)
    }),
    script: 'cat /proc/self/mountinfo',
    fooledBy: /^(?!.* \/target ro[, ].* tmpfs ro,size=1024k)/s,
  },
  {
    name: 'a bind of type tmpfs is remounted',
    lesson: 'rule: a filesystem of the host is not changed',
    prepare: edit((spec, scene) =>
      spec.mounts.push(
        { destination: '/target', type: 'tmpfs', source: filesystem(scene), options: ['bind', 'ro'] },
        { destination: '/target', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'size=1m'] },
      ),
    ),
    script: 'ls /target',
  },
]
