import { isatty } from 'node:tty'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { defineCommand } from '../command.ts'
import { parseGoDuration } from '../go-duration.ts'
import { table, writeOut, writeScreen } from '../output.ts'

/** Home, and clear what is below: the screen does not flicker as it would when cleared first. */
const HOME = '\x1b[H'
const CLEAR_BELOW = '\x1b[J'
const CLEAR = '\x1b[H\x1b[2J'

export default defineCommand({
  command: 'top',
  describe: 'show the CPU time, memory and processes of all containers',
  options: {
    interval: { type: 'string', alias: 'i', value: 'DURATION', default: '2s', describe: 'time between two looks' },
    once: { type: 'boolean', describe: 'print one table, as when the output is no terminal' },
  },
  examples: [
    ['top', 'until Ctrl-C'],
    ['top --once --interval 200ms', 'one table, CPU measured over 200 ms'],
  ],
  async handler({ settings, values: { interval = '2s', once } }) {
    const intervalMs = parseGoDuration(interval)
    if (intervalMs <= 0) throw new RuntimeError('usage', 'invalid --interval "0": want a duration such as 2s')
    const { readUsages, topRows } = await import('../lifecycle/top.ts')
    const { sleep } = await import('@crio-lxc/core/cgroup/sleep')
    const refresh = !once && isatty(1)
    let before = readUsages(settings)
    if (refresh) writeScreen(CLEAR + table(topRows(before, [])))
    do {
      sleep(intervalMs)
      const now = readUsages(settings)
      const text = table(topRows(now, before))
      if (refresh) writeScreen(HOME + text.replaceAll('\n', '\x1b[K\n') + CLEAR_BELOW)
      else writeOut(text)
      before = now
    } while (refresh)
    return 0
  },
})
