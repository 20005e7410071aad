/** root.path leads over a symlink: whoever can exchange it chooses what the container gets. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Attack } from '../attack.ts'
import { edit } from './config.ts'

export const linkedRootAttacks: readonly Attack[] = [
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
