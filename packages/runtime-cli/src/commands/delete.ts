import { isTerminal } from '@crio-lxc/core/sys/fd'
import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'delete <container-id> [container-ids..]',
  describe: 'remove everything that stopped or created containers hold',
  options: {
    force: { type: 'boolean', alias: 'f', describe: 'kill it when it runs; no error when it does not exist' },
  },
  examples: [
    ['delete web', 'after its process has ended'],
    ['delete --force web db', 'two, whatever their state'],
  ],
  async handler({ settings, values, positionals: [id = '', ...more] }) {
    const force = values.force ?? false
    const { deleteContainer } = await load(() => import('../lifecycle/delete.ts'))
    if (more.length === 0) await deleteContainer(settings, id, { force })
    else {
      const { deleteEach } = await load(() => import('../removal/delete-each.ts'))
      const { writeProgress } = await load(() => import('../command-line/progress.ts'))
      await deleteEach([id, ...more], {
        remove: (each) => deleteContainer(settings, each, { force }),
        progress: isTerminal(2) ? writeProgress : undefined,
      })
    }
    return 0
  },
})
