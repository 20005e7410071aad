import { sleep } from '@crio-lxc/core/sys/fd'
import { isScreen } from '../command-line/colour.ts'
import { defineCommand, load } from '../command-line/command.ts'
import { parseInterval } from '../command-line/interval.ts'
import { writeOut, writeScreen } from '../command-line/output.ts'
import { table } from '../command-line/table.ts'

export default defineCommand({
  command: 'top',
  describe: 'show the CPU time, memory and processes of all containers that are not stopped',
  options: {
    interval: { type: 'string', alias: 'i', value: 'DURATION', default: '2s', describe: 'time between two looks' },
    sort: {
      type: 'string',
      describe: 'what the rows are sorted by; the keys n, c, m and p choose it as well',
      choices: ['name', 'cpu', 'memory', 'pids'],
      default: 'name',
    },
    once: { type: 'boolean', describe: 'print one table, as when the output is no terminal or TERM names none' },
  },
  examples: [
    ['top', 'until q or Ctrl-C; c sorts by CPU, m by memory, p by processes, n by name'],
    ['top --once --interval 200ms', 'one table, CPU measured over 200 ms'],
  ],
  looks: true,
  async handler({ settings, values: { interval = '2s', once, sort } }) {
    const intervalMs = parseInterval(interval, '2s')
    const { orderOfKey, readUsages, topRows, withShortIds } = await load(() => import('../lifecycle/top.ts'))
    let order = sort as Parameters<typeof topRows>[2]
    let before: ReturnType<typeof readUsages> = []
    let now = before
    const look = (): void => {
      before = now
      now = readUsages(settings)
    }
    const rows = (): string[][] => topRows(now, before, order)
    if (!once && isScreen()) {
      const { showScreen } = await import('../foreground/screen.ts')
      const show = ({ width }: { readonly width: number }): string => table(withShortIds(rows(), width))
      const typed = (text: string): boolean => {
        const chosen = orderOfKey(text)
        order = chosen ?? order
        return chosen !== undefined
      }
      return await showScreen({ look, show, typed }, { intervalMs, write: writeScreen })
    }
    look()
    sleep(intervalMs)
    look()
    writeOut(table(rows()))
    return 0
  },
})
