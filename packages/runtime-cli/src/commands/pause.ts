import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'pause <container-id>',
  describe: 'stop all processes of a container where they are',
  options: {},
  examples: [['pause web', 'until `crio-lxc resume web`']],
  async handler({ settings, positionals: [id = ''] }) {
    const { pause } = await load(() => import('../lifecycle/pause.ts'))
    pause(settings, id)
    return 0
  },
})
