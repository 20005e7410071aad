/** The attacks by image and config.json that one container is enough for. docs/security-comparison.md is made of them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '../support/programs.ts'
import type { Spec } from '../support/spec.ts'
import { type Attack, bare, type Scene } from './attack.ts'
import { idAttacks } from './id-attacks.ts'

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

const edit = (change: (spec: Spec, scene: Scene) => void) => (scene: Scene) => {
  bare(scene.bundle.spec)
  change(scene.bundle.spec, scene)
}

/** A directory of the host that the spec gives to the container. */
function volume({ bundle }: Scene): string {
  const path = join(bundle.path, 'volume')
  mkdirSync(path, { recursive: true })
  return path
}

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

function linkAttacks(): Attack[] {
  return settings.flatMap(([name, lesson, path, prepare]) =>
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
}

const fifo = (path: string) => void execFileSync('mkfifo', [path])
const node = (major: number, minor: number) => (path: string) =>
  void execFileSync('mknod', [path, 'c', `${major}`, `${minor}`])
const onPty = { through: [program('on-pty'), '24', '80', program('launch'), '--fds', '--'], input: '' }

/** The image has something of its own where the runtime puts, or takes, a device. */
const replacements: readonly Attack[] = [
  ...(['null', 'zero', 'tty'] as const).flatMap((device) => [
    replaced(
      `/dev/${device} of the image is a link to a file of the host`,
      'CVE-2025-31133',
      `dev/${device}`,
      ({ outside }) =>
        (path) =>
          symlinkSync(join(outside, 'canary'), path),
    ),
    replaced(`/dev/${device} of the image is a fifo`, 'CVE-2025-31133', `dev/${device}`, () => fifo),
    replaced(`/dev/${device} of the image is another device`, 'CVE-2025-31133', `dev/${device}`, () => node(1, 8)),
    replaced(
      `/dev/${device} of the image is a file`,
      'CVE-2025-31133',
      `dev/${device}`,
      () => (path) => writeFileSync(path, 'x'),
    ),
  ]),
  ...(['/dev/console', '/dev/pts/ptmx', '/dev/ptmx'] as const).flatMap((path) => [
    terminal(
      `${path} of the image is a link to a file of the host`,
      path,
      ({ outside }) =>
        (full) =>
          symlinkSync(join(outside, 'canary'), full),
    ),
    terminal(`${path} of the image is a fifo`, path, () => fifo),
    terminal(`${path} of the image is another device`, path, () => node(5, 2)),
  ]),
  ...(['null', 'zero', 'tty'] as const).map((device) =>
    replaced(
      `/dev/${device} of the image is a link to a kernel parameter`,
      'CVE-2025-31133',
      `dev/${device}`,
      () => (path) => symlinkSync('/proc/sys/kernel/ostype', path),
      'cat /proc/sys/kernel/ostype | head -c 9',
      /^(?!Linux)./,
    ),
  ),
  terminal(
    '/dev/console of the image is a link to a kernel parameter',
    '/dev/console',
    () => (full) => symlinkSync('/proc/sys/kernel/ostype', full),
  ),
  ...(['a file', 'a fifo', 'the null device'] as const).flatMap((what) => [
    odd(`/dev of the image is ${what}`, 'dev', what),
    odd(`/proc of the image is ${what}`, 'proc', what),
    odd(`/sys of the image is ${what}`, 'sys', what),
  ]),
  {
    name: '/etc/passwd of the image is a fifo',
    lesson: 'denial of service',
    prepare: (scene) => scene.replace('etc/passwd', fifo),
  },
  {
    name: '/etc/passwd of the image has 4 TB',
    lesson: 'denial of service',
    prepare: (scene) =>
      scene.replace('etc/passwd', (path) => {
        writeFileSync(path, '')
        truncateSync(path, 4 * 2 ** 40)
      }),
  },
  {
    name: 'the executable of the image is a fifo',
    lesson: 'denial of service',
    prepare: (scene) => {
      scene.replace('bin/program', fifo)
      scene.bundle.spec.process.args = ['/bin/program']
    },
  },
]

/** The image has something else where a directory should be, and the spec mounts on it as every engine does. */
function odd(name: string, path: string, what: 'a file' | 'a fifo' | 'the null device'): Attack {
  const make = { 'a file': (at: string) => writeFileSync(at, 'x'), 'a fifo': fifo, 'the null device': node(1, 3) }[what]
  return { name, lesson: 'CVE-2026-41579', prepare: (scene) => scene.replace(path, make), script: 'ls /dev /proc /sys' }
}

/** A file is masked by the null device: with the image's own instead, what is written to the mask would go elsewhere. */
function replaced(
  name: string,
  lesson: string,
  path: string,
  make: (scene: Scene) => (path: string) => void,
  script = `cat /masked /${path} </dev/null & sleep 0.1; kill $!; echo x > /masked; true`,
  fooledBy = /masked/,
): Attack {
  return {
    name,
    lesson,
    script,
    prepare: (scene) => {
      bare(scene.bundle.spec)
      scene.replace(path, make(scene))
      writeFileSync(join(scene.bundle.rootfs, 'masked'), 'masked')
      scene.bundle.spec.linux.maskedPaths = ['/masked']
    },
    fooledBy,
  }
}

function terminal(name: string, path: string, make: (scene: Scene) => (path: string) => void): Attack {
  return {
    name,
    lesson: 'CVE-2025-52565',
    script: 'echo x > /dev/console & sleep 0.1; kill $!; ls /dev/ptmx; true',
    options: onPty,
    prepare: (scene) => {
      bare(scene.bundle.spec)
      if (path !== '/dev/pts/ptmx')
        scene.bundle.spec.mounts.push({
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
        })
      scene.bundle.spec.process.terminal = true
      scene.replace(path, make(scene))
    },
  }
}

/** Values and paths that parsers have stumbled over. */
const texts: readonly Attack[] = [
  ...[
    ['a+kernel.core_pattern=/tmp/x', 'CVE-2022-0811'],
    ['1\nkernel.core_pattern = x', 'CVE-2022-0811'],
    ['1\0', 'CVE-2022-0811'],
  ].map(
    ([value = '', lesson = '']): Attack => ({
      name: `kernel.shmmni is set to ${JSON.stringify(value)}`,
      lesson,
      prepare: edit((spec) => Object.assign(spec.linux, { sysctl: { 'kernel.shmmni': value } })),
    }),
  ),
  ...[
    'kernel.core_pattern',
    'kernel/core_pattern',
    'kernel.shmmni/../core_pattern',
    'net/../kernel/core_pattern',
    'net.a+b',
    '',
  ].map(
    (key): Attack => ({
      name: `the sysctl ${JSON.stringify(key)}`,
      lesson: 'CVE-2022-0811',
      prepare: edit((spec) => Object.assign(spec.linux, { sysctl: { [key]: '1' } })),
    }),
  ),
  ...[
    ['options', { destination: '/m', type: 'tmpfs', source: 'tmpfs', options: ['x'.repeat(65536)] }],
    ['source', { destination: '/m', type: 'tmpfs', source: 'x'.repeat(65536) }],
    ['destination', { destination: `/${'x'.repeat(65536)}`, type: 'tmpfs', source: 'tmpfs' }],
  ].map(
    ([field, mount]): Attack => ({
      name: `64 KiB in the ${field as string} of a mount`,
      lesson: 'CVE-2021-43784',
      prepare: edit((spec) => spec.mounts.push(mount as (typeof spec.mounts)[number])),
    }),
  ),
]

/** /proc is not what it seems: whoever believes it, writes labels and kernel parameters to files of the image. */
const falseProc: readonly Attack[] = [
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

/** The image has no /proc or /sys, or a link there that leads nowhere yet. */
const missingProc: readonly Attack[] = [
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

/** root.path leads over a symlink: whoever can exchange it chooses what the container gets. */
const linkedRoots: readonly Attack[] = [
  ['a link to a directory of the host', '{outside}', 'root'],
  ['a link to the root of the host', '/', 'root'],
  ['a relative link to the rootfs', 'rootfs', 'root'],
  ['a link, with a slash at its end', 'rootfs', 'root/'],
  ['below a link', '.', 'root/rootfs'],
  ['below a link, and back', 'rootfs', 'root/../rootfs'],
  ['an absolute path over a link', 'rootfs', '{bundle}/root'],
].map(
  ([name, target = '', path = '']): Attack => ({
    name: `root.path is ${name}`,
    lesson: 'rule: root.path is no symlink',
    prepare: edit((spec, { bundle, outside }) => {
      symlinkSync(target.replace('{outside}', outside), join(bundle.path, 'root'))
      spec.root.path = path.replace('{bundle}', bundle.path)
    }),
  }),
)

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

const remounts: readonly Attack[] = [
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

export const attacks: readonly Attack[] = [
  ...linkAttacks(),
  ...replacements,
  ...texts,
  ...falseProc,
  ...missingProc,
  ...linkedRoots,
  ...remounts,
  ...idAttacks,
]
