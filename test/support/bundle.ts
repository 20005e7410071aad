/** Bundles: a fresh directory with a config.json and a rootfs of one kind. */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program } from './programs.ts'
import { baseSpec, type Process, type Spec } from './spec.ts'

const applets =
  'awk cat chmod chown cp cut dd df echo env expr false find getopt grep head hostname id ip kill killall ln ls mkdir mkfifo mknod mount mv od ping printf ps pwd readlink rm rmdir sed seq sh sleep sort stat stty tail tee test touch tr true tty umount uname wc whoami yes'

export type RootfsKind = 'busybox' | 'empty-static'

export interface BundleOptions {
  /** `busybox`: Debian's static busybox with its applets in /bin, and /probe. `empty-static`: /probe alone. */
  readonly rootfs?: RootfsKind
  readonly args?: readonly string[]
  /** Merged over the base spec's process. */
  readonly process?: Partial<Process>
  /** Last word on the spec. */
  readonly spec?: (spec: Spec) => void
}

export interface Bundle {
  /** Absolute path of the bundle directory. */
  readonly path: string
  readonly rootfs: string
  /** What config.json held when the bundle was made. */
  readonly spec: Spec
  /** Writes config.json anew: an object as JSON, a string as it is. */
  readonly writeConfig: (config: unknown) => void
}

/** Makes a bundle below `directory`; its default process is `true`. */
export async function makeBundle(directory: string, options: BundleOptions = {}): Promise<Bundle> {
  const path = mkdtempSync(join(directory, 'bundle-'))
  const rootfs = join(path, 'rootfs')
  const kind = options.rootfs ?? 'busybox'
  if (kind === 'busybox') makeBusyboxRootfs(rootfs)
  else mkdirSync(rootfs)
  linkSync(
    pristine(directory, 'probe', (path) => copyFileSync(program('probe'), path)),
    join(rootfs, 'probe'),
  )
  const spec = await baseSpec()
  spec.process.args = [...(options.args ?? (kind === 'busybox' ? ['true'] : ['/probe']))]
  Object.assign(spec.process, options.process)
  options.spec?.(spec)
  const bundle: Bundle = {
    path,
    rootfs,
    spec,
    writeConfig: (config) =>
      writeFileSync(join(path, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config)),
  }
  bundle.writeConfig(spec)
  return bundle
}

function makeBusyboxRootfs(rootfs: string): void {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp'])
    mkdirSync(join(rootfs, name), { recursive: true })
  const directory = join(rootfs, '../..')
  const busybox = pristine(directory, 'busybox', (path) => copyFileSync('/bin/busybox', path))
  linkSync(busybox, join(rootfs, 'bin/busybox'))
  // One symlink under all names: ext4 is slow to find an inode that was not in use seconds ago.
  const toBusybox = pristine(directory, 'applet', (path) => symlinkSync('busybox', path))
  for (const applet of applets.split(' ')) linkSync(toBusybox, join(rootfs, 'bin', applet))
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\n')
}

/** What is hard-linked from, so that a container that writes to its program cannot reach the host's. */
function pristine(directory: string, name: string, make: (path: string) => void): string {
  const path = join(directory, `pristine-${name}`)
  if (!readdirSync(directory).includes(`pristine-${name}`)) make(path)
  return path
}

/** A temporary directory of the host that containers may be given parts of. */
export function temporaryDirectory(prefix: string): string {
  return mkdtempSync(join(tmpdir(), prefix))
}
