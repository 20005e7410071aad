import { defineCommand, load } from '../command-line/command.ts'
import { writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'ps <container-id> [ps-options..]',
  describe: 'list the processes of a container, with their pids on the host',
  options: {
    format: { type: 'string', alias: 'f', choices: ['table', 'json'], default: 'table', describe: 'form of the list' },
  },
  stopAtPositional: true,
  examples: [
    ['ps web', 'the lines of `ps -ef` that are about the container'],
    ['ps web -o pid,rss,args', 'options of ps(1); the column PID must be among the output'],
    ['ps --format json web', 'an array of pids'],
  ],
  looks: true,
  async handler({ settings, values, positionals: [id = '', ...args] }) {
    const { containerPids, processTable } = await load(() => import('../lifecycle/ps.ts'))
    const pids = containerPids(settings, id)
    writeOut(values.format === 'json' ? `${JSON.stringify(pids)}\n` : processTable(pids, args))
    return 0
  },
})
