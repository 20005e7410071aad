import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { isTerminal, sleep } from '@crio-lxc/core/sys/fd'
import { defineCommand, load } from '../command-line/command.ts'
import { parseGoDuration } from '../command-line/go-duration.ts'
import { table, writeOut, writeScreen } from '../command-line/output.ts'

export default defineCommand({
  command: 'top',
  describe: 'show the CPU time, memory and processes of all containers',
  options: {
    interval: { type: 'string', alias: 'i', value: 'DURATION', default: '2s', describe: 'time between two looks' },
    once: { type: 'boolean', describe: 'print one table, as when the output is no terminal' },
  },
  examples: [
    ['top', 'until q or Ctrl-C'],
    ['top --once --interval 200ms', 'one table, CPU measured over 200 ms'],
  ],
  looks: true,
  async handler({ settings, values: { interval = '2s', once } }) {
    const intervalMs = parseGoDuration(interval)
    if (intervalMs <= 0) throw new RuntimeError('usage', 'invalid --interval "0": want a duration such as 2s')
    const { readUsages, topRows } = await load(() => import('../lifecycle/top.ts'))
    let before: ReturnType<typeof readUsages> = []
    const look = (): string => {
      const now = readUsages(settings)
      const text = table(topRows(now, before))
      before = now
      return text
    }
    if (!once && isTerminal(1)) {
      const { showScreen } = await import('../foreground/screen.ts')
      return await showScreen(look, { intervalMs, write: writeScreen })
    }
    look()
    sleep(intervalMs)
    writeOut(look())
    return 0
  },
})
