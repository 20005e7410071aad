import { environment } from '@crio-lxc/core/sys/program'
import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'start <container-id>',
  describe: 'run the process of a created container',
  options: {},
  examples: [['start web', 'let the process that create prepared begin']],
  async handler({ settings, positionals: [id = ''] }) {
    const { start } = await load(() => import('../lifecycle/start.ts'))
    await start(settings, id, { notifySocket: environment()['NOTIFY_SOCKET'] })
    return 0
  },
})
