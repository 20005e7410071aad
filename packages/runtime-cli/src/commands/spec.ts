import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { defaultSpec, defaultSpecOnV2, rootlessSpec } from '@crio-lxc/core/oci/default-spec'
import { defineCommand } from '../command.ts'

export default defineCommand({
  command: 'spec',
  describe: 'write an example config.json',
  options: {
    bundle: { type: 'string', alias: 'b', value: 'DIR', describe: 'where, by default the current directory' },
    rootless: { type: 'boolean', describe: 'for a user who is not root, in a user namespace of one id' },
  },
  examples: [['spec --bundle /srv/web', 'then put a root filesystem into /srv/web/rootfs']],
  handler({ values }) {
    const file = join(values.bundle || '.', 'config.json')
    const forRoot = cgroupLayout().mode === 'v2' ? defaultSpecOnV2 : defaultSpec
    const spec = values.rootless ? rootlessSpec(forRoot, ownIds()) : forRoot
    try {
      writeFileSync(file, `${JSON.stringify(spec, null, '\t')}\n`, { flag: 'wx', mode: 0o666 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw new RuntimeError('exists', `write ${file}: config.json exists: remove it first`)
      throw new RuntimeError('io', `write ${file}: ${messageOf(error).replace(/^[A-Z0-9]+: |, \w+ '.*'$/gs, '')}`, {
        cause: error,
      })
    }
    return 0
  },
})

function ownIds(): { uid: number; gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}
