import { defineCommand, load } from '../command-line/command.ts'
import { bundleOptions, toCreateOptions } from './bundle-options.ts'

export default defineCommand({
  command: 'run <container-id>',
  describe: "create and start a container, wait for it and return its process's exit code",
  needsDefaults: true,
  options: {
    ...bundleOptions,
    detach: { type: 'boolean', alias: 'd', describe: 'return when the process runs' },
    keep: { type: 'boolean', describe: 'do not delete the container when its process ends' },
    'no-subreaper': {
      type: 'boolean',
      describe: 'accepted for callers of runc; only the process itself is ever waited for',
    },
  },
  examples: [
    ['run --bundle /srv/web web', 'in the foreground, on this terminal when the spec wants one'],
    ['run --detach --pid-file /run/web.pid web', 'in the background'],
  ],
  async handler({ settings, values, positionals: [id = ''] }) {
    const { run } = await load(() => import('../lifecycle/run.ts'))
    const { detach = false, keep = false } = values
    return run(settings, { ...toCreateOptions(id, values), detach, keep })
  },
})
