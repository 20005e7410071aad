/** Devices, fifos and files of the image in the place of what the runtime makes or reads there. */
import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from '../../support/programs.ts'
import { type Attack, bare, type Scene } from '../attack.ts'

const fifo = (path: string) => void execFileSync('mkfifo', [path])
const node = (major: number, minor: number) => (path: string) =>
  void execFileSync('mknod', [path, 'c', `${major}`, `${minor}`])
const onPty = { through: [program('on-pty'), '24', '80', program('launch'), '--fds', '--'], input: '' }

/** The image has something of its own where the runtime puts, or takes, a device. */
export const nodeAttacks: readonly Attack[] = [
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
