import { defineCommand, load } from '../command-line/command.ts'
import { stateText, writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'state <container-id>',
  describe: 'print the state of a container as JSON',
  options: {},
  examples: [['state web', 'status, pid, bundle and annotations']],
  looks: true,
  async handler({ settings, positionals: [id = ''] }) {
    const { state } = await load(() => import('../lifecycle/state.ts'))
    writeOut(stateText(state(settings, id)))
    return 0
  },
})
