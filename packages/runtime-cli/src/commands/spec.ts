import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { cgroupLayout } from '@crio-lxc/core/host/cgroup/hierarchies'
import { defaultSpec, defaultSpecOnV2, rootlessSpec } from '@crio-lxc/core/oci/default-spec'
import { O_CREAT, O_EXCL, writeFile } from '@crio-lxc/core/sys/files'
import { effectiveGid, effectiveUid } from '@crio-lxc/core/sys/program'
import { defineCommand } from '../command-line/command.ts'

export default defineCommand({
  command: 'spec',
  describe: 'write an example config.json',
  options: {
    bundle: { type: 'string', alias: 'b', value: 'DIR', describe: 'where, by default the current directory' },
    rootless: { type: 'boolean', describe: 'for a user who is not root, in a user namespace of one id' },
  },
  examples: [['spec --bundle /srv/web', 'then put a root filesystem into /srv/web/rootfs']],
  looks: true,
  handler({ values }) {
    const file = `${values.bundle ? `${values.bundle}/` : ''}config.json`
    const forRoot = cgroupLayout().mode === 'v2' ? defaultSpecOnV2 : defaultSpec
    const spec = values.rootless ? rootlessSpec(forRoot, ownIds()) : forRoot
    try {
      writeFile(file, `${JSON.stringify(spec, null, '\t')}\n`, { flags: O_CREAT | O_EXCL })
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        throw new RuntimeError('exists', `write ${file}: config.json exists: remove it first`)
      const advice = codeOf(error) === 'ENOENT' ? ': make the directory first' : ''
      throw new RuntimeError('io', `write ${file}: ${reasonOf(error)}${advice}`, { cause: error })
    }
    return 0
  },
})

function ownIds(): { uid: number; gid: number } {
  return { uid: effectiveUid(), gid: effectiveGid() }
}
