/** Steps for a tmpfs without `mode=`: its root has the mode of the directory that it comes to lie on, as in runc. */
import { AT_EMPTY_PATH, AT_FDCWD } from '@crio-lxc/core/abi/constants'
import { type Arg, Label, type Plan, type Slot } from '@crio-lxc/core/plan/plan'
import { openInRoot } from '../inside-root.ts'

/** The mode of a new tmpfs on a directory that has been made for it. */
const DEFAULT_MODE = 0o1777
/** sizeof(struct stat), and where its st_mode is, by the architecture. */
const STAT_BYTES = 144
const MODE_OFFSETS = { x64: 24, arm64: 16 } as const

export function namesMode(data: string): boolean {
  return /(^|,)mode=/.test(data)
}

export interface Destination {
  readonly root: Arg
  readonly path: string
  readonly pointer: string
}

/** Reads the mode, before the directory is made that may lack; for planSetMode. */
export function planReadMode(plan: Plan, { root, path, pointer }: Destination): Slot {
  const offset = MODE_OFFSETS[plan.arch.name]
  const stat = plan.struct(
    STAT_BYTES,
    () => '{}',
    (view, at) => view.setUint32(at + offset, DEFAULT_MODE, true),
  )
  const directory = plan.slot(`${path} for its mode`)
  const missing = new Label()
  const what = `look for ${path} for ${pointer}`
  openInRoot(plan, { root, path }, { what, result: directory, ignore: ['ENOENT'], onIgnored: missing })
  const how = [directory, plan.string(''), stat, AT_EMPTY_PATH]
  plan.step(`read the mode of ${path} for ${pointer}`, 'newfstatat', how)
  plan.step(`close ${path}`, 'close', [directory])
  plan.place(missing)
  return plan.wordAt(stat, offset)
}

/** `mount` is an fd of the root of the tmpfs. The kernel takes the permissions alone of the word: the type beside them counts for nothing. */
export function planSetMode(
  plan: Plan,
  { path, pointer }: Destination,
  { mount, mode }: { mount: Arg; mode: Slot },
): void {
  plan.step(`enter ${path} for ${pointer}`, 'fchdir', [mount])
  plan.step(`set the mode of ${path} for ${pointer}`, 'fchmodat', [AT_FDCWD, plan.string('.'), mode])
}
