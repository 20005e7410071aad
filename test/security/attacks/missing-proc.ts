/** The image has no /proc or /sys, or a link there that leads nowhere yet. */
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Spec } from '../../support/spec.ts'
import { type Attack, bare } from '../attack.ts'
import { edit, volume } from './config.ts'

type Mount = Spec['mounts'][number]

/** A mount on a link to the /proc that the image does not have: the link leads nowhere until somebody makes it. */
function onMissingProc(what: string, make: (source: string) => Omit<Mount, 'destination'>) {
  return (when: 'before' | 'after' | 'without', target = 'proc'): Attack => ({
    name: `${what} on a link to a missing /proc, ${when} procfs (${target})`,
    lesson: 'CVE-2019-16884',
    prepare: (scene) => {
      const { spec } = scene.bundle
      bare(spec)
      scene.replace('proc', () => undefined)
      scene.replace('link', (path) => symlinkSync(target, path))
      scene.replace('next', (path) => symlinkSync('proc', path))
      const source = volume(scene)
      writeFileSync(join(source, 'version'), 'deceived')
      const mount = { destination: '/link', ...make(source) }
      spec.mounts = { before: [mount, ...spec.mounts], after: [...spec.mounts, mount], without: [mount] }[when]
    },
    script: 'cat /proc/version; test -e /proc/version || echo deceived',
    fooledBy: /deceived/,
  })
}

const bindOnMissingProc = onMissingProc('a bind', (source) => ({ type: 'bind', source, options: ['bind'] }))

export const missingProcAttacks: readonly Attack[] = [
  ...(['before', 'after', 'without'] as const).flatMap((when) =>
    ['proc', '/proc', './proc/', 'other/../proc', 'next'].map((target) => bindOnMissingProc(when, target)),
  ),
  ...[
    onMissingProc('a tmpfs', () => ({ type: 'tmpfs', source: 'tmpfs' })),
    onMissingProc('a tmpfs with tmpcopyup', () => ({ type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] })),
    onMissingProc('mqueue', () => ({ type: 'mqueue', source: 'mqueue' })),
    onMissingProc('the cgroup mount', () => ({ type: 'cgroup', source: 'cgroup' })),
  ].flatMap((attack) => [attack('before'), attack('after')]),
  ...['self', 'sys/kernel', 'version'].map(
    (below): Attack => ({
      name: `a bind on /link/${below}, where the image has /link as a link to a missing /proc`,
      lesson: 'CVE-2019-16884',
      prepare: (scene) => {
        bare(scene.bundle.spec)
        scene.replace('proc', () => undefined)
        scene.replace('link', (path) => symlinkSync('proc', path))
        const source = volume(scene)
        writeFileSync(join(source, 'version'), 'deceived')
        const options = ['bind']
        const file = below === 'version' ? join(source, 'version') : source
        scene.bundle.spec.mounts.push({ destination: `/link/${below}`, type: 'bind', source: file, options })
      },
      script: `cat /proc/${below}/version /proc/${below}`,
      fooledBy: /deceived/,
    }),
  ),
  ...(['proc', 'sys'] as const).flatMap((name) =>
    ['vol/inside', '/vol/inside', 'nowhere', 'vol/link'].map(
      (target): Attack => ({
        name: `/${name} of the image is a link to what is not there (${target})`,
        lesson: 'CVE-2019-19921',
        prepare: (scene) => {
          const { spec } = scene.bundle
          bare(spec)
          scene.replace(name, (path) => symlinkSync(target, path))
          const source = volume(scene)
          symlinkSync('inside', join(source, 'link'))
          spec.mounts.unshift({ destination: '/vol', type: 'bind', source, options: ['bind'] })
          if (name === 'sys') spec.mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] })
        },
        script: 'for d in /vol/inside /nowhere; do [ -e $d/version ] || [ -e $d/kernel ] && echo deceived; done',
        fooledBy: /deceived/,
      }),
    ),
  ),
  ...['/proc/version', '/proc/new/node', '//proc/version', '/proc/../proc/version', '/link/version'].map(
    (path): Attack => ({
      name: `a device is made at ${path} (the image has /link as a link to /proc)`,
      lesson: 'CVE-2019-16884',
      prepare: edit((spec, scene) => {
        scene.replace('link', (link) => symlinkSync('proc', link))
        Object.assign(spec.linux, { devices: [{ path, type: 'c', major: 1, minor: 3 }] })
      }),
      script: 'head -c 5 /proc/version | grep -q Linux || echo deceived',
      fooledBy: /deceived/,
    }),
  ),
]
