import { defineCommand, load } from '../command-line/command.ts'
import { listJson, listTable, writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'list',
  describe: 'list the containers below --root',
  options: {
    format: { type: 'string', alias: 'f', choices: ['table', 'json'], default: 'table', describe: 'form of the list' },
    quiet: { type: 'boolean', alias: 'q', describe: 'print ids only' },
  },
  examples: [
    ['list', 'a table'],
    ['--root /run/containerd/runc/k8s.io list --format json', 'the states of the containers of another root'],
  ],
  async handler({ settings, values: { format, quiet } }) {
    const { list, listIds } = await load(() => import('../lifecycle/list.ts'))
    if (quiet) writeOut(lines(listIds(settings)))
    else writeOut(format === 'json' ? listJson(list(settings)) : listTable(list(settings)))
    return 0
  },
})

function lines(ids: readonly string[]): string {
  return ids.map((id) => `${id}\n`).join('')
}
