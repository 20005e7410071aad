import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'delete <container-id>',
  describe: 'remove everything that a stopped or created container holds',
  options: {
    force: { type: 'boolean', alias: 'f', describe: 'kill it when it runs; no error when it does not exist' },
  },
  examples: [
    ['delete web', 'after its process has ended'],
    ['delete --force web', 'whatever its state'],
  ],
  async handler({ settings, values, positionals: [id = ''] }) {
    const { deleteContainer } = await load(() => import('../lifecycle/delete.ts'))
    await deleteContainer(settings, id, { force: values.force ?? false })
    return 0
  },
})
