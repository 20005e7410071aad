import { realtimeMs } from '@crio-lxc/core/sys/program'
import { defineCommand, load } from '../command-line/command.ts'
import { listJson, listTable, writeOut } from '../command-line/output.ts'
import { table } from '../command-line/table.ts'

export default defineCommand({
  command: 'list',
  describe: 'list the containers below --root',
  options: {
    format: { type: 'string', alias: 'f', choices: ['table', 'json'], default: 'table', describe: 'form of the list' },
    quiet: { type: 'boolean', alias: 'q', describe: 'print ids only' },
    wide: { type: 'boolean', alias: 'w', describe: 'a table with age, and with what engines say: pod, name, image' },
    filter: {
      type: 'list',
      value: 'KEY=VALUE',
      describe: 'list only those with status=STATUS, id=BEGINNING, annotation=NAME or annotation=NAME=VALUE',
    },
  },
  examples: [
    ['list', 'a table'],
    ['list --wide --filter status=running', 'who runs, since when, for which pod'],
    ['--root /run/containerd/runc/k8s.io list --format json', 'the states of the containers of another root'],
  ],
  looks: true,
  async handler({ settings, values: { format, quiet, wide, filter } }) {
    const { list, listIds } = await load(() => import('../lifecycle/list.ts'))
    const wanted = filter && (await import('../listing/filter.ts')).filterOf(filter)
    if (quiet && wanted === undefined) {
      writeOut(lines(listIds(settings)))
      return 0
    }
    const states = wanted === undefined ? list(settings) : list(settings).filter(wanted)
    if (quiet) writeOut(lines(states.map(({ id }) => id)))
    else if (format === 'json') writeOut(listJson(states))
    else if (wide) writeOut(table((await import('../listing/wide.ts')).wideRows(states, realtimeMs())))
    else writeOut(listTable(states))
    return 0
  },
})

function lines(ids: readonly string[]): string {
  return ids.map((id) => `${id}\n`).join('')
}
