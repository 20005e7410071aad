import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { defineCommand, load } from '../command-line/command.ts'
import { parseInterval } from '../command-line/interval.ts'
import { jsonLine, writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'events [container-id]',
  describe: 'print what a container uses, and when its memory ran out, as lines of JSON',
  options: {
    interval: { type: 'string', value: 'DURATION', default: '5s', describe: 'time between two statistics' },
    stats: { type: 'boolean', describe: 'print one statistic and return' },
    format: {
      type: 'string',
      describe: "form of --stats; Prometheus' has all containers when none is named",
      choices: ['json', 'prometheus'],
      default: 'json',
    },
  },
  examples: [
    ['events --stats web', 'CPU, memory, pids, block IO and the rest, once'],
    ['events --stats --format prometheus', 'of all containers, for the textfile collector of node_exporter'],
    ['events --interval 1s web', 'until the container has ended'],
  ],
  looks: true,
  async handler({ settings, values, positionals: [id] }) {
    const intervalMs = parseInterval(values.interval ?? '5s', '5s')
    if (values.format === 'prometheus') {
      if (!values.stats) throw new RuntimeError('usage', '--format prometheus is a form of --stats: give both')
      writeOut(await (await load(() => import('../lifecycle/metrics.ts'))).metrics(settings, id))
      return 0
    }
    if (id === undefined)
      throw new RuntimeError('usage', '"events" requires exactly 1 argument(s), got 0: <container-id>')
    const { stats, watchEvents } = await load(() => import('../lifecycle/events.ts'))
    const print = (event: object): void => writeOut(jsonLine(event))
    if (values.stats) print(await stats(settings, id))
    else await watchEvents(settings, id, { intervalMs, output: 1, print })
    return 0
  },
})
