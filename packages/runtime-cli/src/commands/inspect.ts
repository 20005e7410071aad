import { defineCommand, load } from '../command-line/command.ts'
import { jsonLine, writeOut } from '../command-line/output.ts'
import { table } from '../command-line/table.ts'

export default defineCommand({
  command: 'inspect <container-id>',
  describe: 'show what was asked of a container, what create planned and what it is now, side by side',
  options: { json: { type: 'boolean', describe: 'print JSON' } },
  examples: [
    ['inspect web', 'namespaces, limits, capabilities and the rest, a row each'],
    ['inspect --json web', 'the same in full, for programs'],
  ],
  looks: true,
  async handler({ settings, values, positionals: [id = ''] }) {
    const { inspect, inspectionRows } = await load(() => import('../lifecycle/inspect.ts'))
    const inspection = inspect(settings, id)
    if (values.json) writeOut(jsonLine(inspection))
    else {
      const { status, pid, bundle, created } = inspection
      writeOut(`${id} is ${status}${pid === 0 ? '' : `, pid ${pid}`}; made ${created} of ${bundle}\n\n`)
      writeOut(table(inspectionRows(inspection)))
    }
    return 0
  },
})
