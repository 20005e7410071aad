import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'resume <container-id>',
  describe: 'let the processes of a paused container go on',
  options: {},
  examples: [['resume web', 'after `crio-lxc pause web`']],
  async handler({ settings, positionals: [id = ''] }) {
    const { resume } = await load(() => import('../lifecycle/pause.ts'))
    resume(settings, id)
    return 0
  },
})
