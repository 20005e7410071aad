/** /proc is not what it seems: whoever believes it, writes labels and kernel parameters to files of the image. */
import { mkdirSync, symlinkSync } from 'node:fs'
import type { Spec } from '../../support/spec.ts'
import { type Attack, bare, type Scene } from '../attack.ts'
import { volume } from './config.ts'

export const falseProcAttacks: readonly Attack[] = [
  ...[
    ['a tmpfs', (spec: Spec) => spec.mounts.push({ destination: '/DIR', type: 'tmpfs', source: 'tmpfs' })],
    [
      'a bind',
      (spec: Spec, scene: Scene) =>
        spec.mounts.push({ destination: '/DIR', type: 'bind', source: volume(scene), options: ['bind'] }),
    ],
  ].flatMap(([what, mount]) =>
    ['proc', 'proc/', 'proc/../proc', 'proc/self', 'proc/self/attr', 'proc/sys', 'proc/sys/kernel'].map(
      (path): Attack => ({
        name: `${what} on /${path}`,
        lesson: 'CVE-2019-16884',
        prepare: (scene) => {
          bare(scene.bundle.spec)
          ;(mount as (spec: Spec, scene: Scene) => void)(scene.bundle.spec, scene)
          for (const each of scene.bundle.spec.mounts) if (each.destination === '/DIR') each.destination = `/${path}`
        },
      }),
    ),
  ),
  ...['self/attr', 'sys', 'sys/kernel', ''].map(
    (below): Attack => ({
      name: `a bind on /link/${below}, where the image has /link as a link to /proc`,
      lesson: 'CVE-2019-16884',
      prepare: (scene) => {
        bare(scene.bundle.spec)
        scene.replace('link', (path) => symlinkSync('proc', path))
        scene.bundle.spec.mounts.push({
          destination: `/link/${below}`,
          type: 'bind',
          source: volume(scene),
          options: ['bind'],
        })
      },
    }),
  ),
  ...['', '/self', '/self/attr', '/sys', '/sys/kernel'].map(
    (below): Attack => ({
      name: `a bind on /a/b${below}, where the image has /a/b as the first of three links to /proc`,
      lesson: 'CVE-2023-27561',
      prepare: (scene) => {
        bare(scene.bundle.spec)
        scene.replace('a/b', (path) => symlinkSync('../c', path))
        scene.replace('c', (path) => symlinkSync('/a/../d', path))
        scene.replace('d', (path) => symlinkSync('./proc', path))
        scene.bundle.spec.mounts.push({
          destination: `/a/b${below}`,
          type: 'bind',
          source: volume(scene),
          options: ['bind'],
        })
      },
    }),
  ),
  ...['/tmp', '../proc2', 'sys'].map(
    (target): Attack => ({
      name: `/proc of the image is a link to ${target} in it`,
      lesson: 'CVE-2019-19921',
      prepare: (scene) => {
        bare(scene.bundle.spec)
        scene.replace('proc2/self', (path) => mkdirSync(path))
        scene.replace('proc', (path) => symlinkSync(target, path))
      },
    }),
  ),
]
