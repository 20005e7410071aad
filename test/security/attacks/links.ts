/** A link of the image, in each place where the runtime opens or makes a path of it. */
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Attack, bare, type Scene } from '../attack.ts'
import { edit, volume } from './config.ts'

/** Ways to spell a link out of the rootfs. */
const ways: Readonly<Record<string, (outside: string) => string>> = {
  absolute: (outside) => outside,
  relative: (outside) => `${'../'.repeat(15)}${outside.slice(1)}`,
  '/proc/self/fd/7': (outside) => `/proc/self/fd/7${outside}`,
  '/proc/1/root': (outside) => `/proc/1/root${outside}`,
}

type Setting = readonly [
  name: string,
  lesson: string,
  /** Of the image: what becomes the link. */
  path: string,
  prepare: (scene: Scene) => void,
]

/** Everything of a config.json that makes the runtime open or make a path of the image. */
const settings: readonly Setting[] = [
  [
    'the target of a bind',
    'CVE-2021-30465',
    'target',
    edit((spec, scene) =>
      spec.mounts.push({ destination: '/target', type: 'bind', source: volume(scene), options: ['bind'] }),
    ),
  ],
  [
    'the parent of the target of a bind',
    'CVE-2024-45310',
    'target',
    edit((spec, scene) =>
      spec.mounts.push({ destination: '/target/new/deep', type: 'bind', source: volume(scene), options: ['bind'] }),
    ),
  ],
  [
    'the target of the bind of a file',
    'CVE-2024-45310',
    'target',
    edit((spec) =>
      spec.mounts.push({ destination: '/target/new', type: 'bind', source: '/bin/busybox', options: ['bind', 'ro'] }),
    ),
  ],
  [
    'the target of a read-only tmpfs',
    'CVE-2021-30465',
    'target',
    edit((spec) =>
      spec.mounts.push({ destination: '/target', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'rshared'] }),
    ),
  ],
  [
    'the target of a tmpfs with tmpcopyup',
    'CVE-2024-45310',
    'target',
    edit((spec) =>
      spec.mounts.push({ destination: '/target', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }),
    ),
  ],
  [
    'the target of the cgroup mount',
    'CVE-2021-30465',
    'target',
    edit((spec) => spec.mounts.push({ destination: '/target', type: 'cgroup', source: 'cgroup', options: ['ro'] })),
  ],
  ['/proc', 'CVE-2023-28642', 'proc', edit(() => undefined)],
  [
    '/sys',
    'CVE-2023-28642',
    'sys',
    edit((spec) => spec.mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] })),
  ],
  [
    '/dev below a tmpfs',
    'CVE-2026-41579',
    'dev',
    edit((spec) =>
      spec.mounts.push({ destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] }),
    ),
  ],
  ['/dev without a mount', 'CVE-2026-41579', 'dev', edit(() => undefined)],
  [
    '/dev/pts',
    'CVE-2025-52565',
    'dev/pts',
    edit((spec) =>
      spec.mounts.push({ destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance'] }),
    ),
  ],
  [
    '/dev/shm',
    'CVE-2021-30465',
    'dev/shm',
    edit((spec) => spec.mounts.push({ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['mode=1777'] })),
  ],
  [
    'the directory of a device',
    'CVE-2026-41579',
    'target',
    edit((spec) =>
      Object.assign(spec.linux, { devices: [{ path: '/target/new/null', type: 'c', major: 1, minor: 3 }] }),
    ),
  ],
  [
    'the working directory',
    'CVE-2024-21626',
    'target',
    edit((spec) => Object.assign(spec.process, { cwd: '/target/new' })),
  ],
  [
    'a masked path',
    'CVE-2025-31133',
    'target',
    edit((spec) => Object.assign(spec.linux, { maskedPaths: ['/target', '/target/canary'] })),
  ],
  [
    'a read-only path',
    'CVE-2025-31133',
    'target',
    edit((spec) => Object.assign(spec.linux, { readonlyPaths: ['/target', '/target/canary'] })),
  ],
  [
    '/etc, where HOME is looked up',
    'CVE-2024-45310',
    'etc',
    ({ bundle, outside }) => {
      bare(bundle.spec)
      writeFileSync(join(outside, 'passwd'), `root:x:0:0:root:/the content of the canary:/bin/sh\n`)
    },
  ],
]

export const linkAttacks: readonly Attack[] = settings.flatMap(([name, lesson, path, prepare]) =>
  Object.entries(ways).map(
    ([way, target]): Attack => ({
      name: `${name} is a link out of the rootfs (${way})`,
      lesson,
      prepare: (scene) => {
        scene.replace(path, (full) => symlinkSync(target(scene.outside), full))
        prepare(scene)
      },
      script: `echo $HOME; cat /${path}/canary /${path}; echo x > /${path}/made; echo x > /${path}; true`,
    }),
  ),
)
