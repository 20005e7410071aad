import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { wantsColour } from '../command-line/colour.ts'
import { defineCommand, load } from '../command-line/command.ts'
import { writeOut, writeScreen } from '../command-line/output.ts'

export default defineCommand({
  command: 'logs [container-id]',
  describe: "print what --log-file has of a container, or of all; a container's output goes to whoever created it",
  options: {
    lines: { type: 'count', alias: 'n', value: 'N', describe: 'the last N only' },
    json: { type: 'boolean', describe: 'print the lines as they are' },
  },
  examples: [
    ['logs web', 'of the log file that the settings name, and the one before it'],
    ['--log-file /var/log/crio-lxc.log logs -n 20', 'the last 20 lines of all containers'],
  ],
  looks: true,
  async handler({ settings: { logFile }, values: { lines, json }, positionals: [id] }) {
    if (logFile === undefined)
      throw new RuntimeError(
        'usage',
        'no log file is named: give --log-file, or CRIO_LXC_LOG_FILE in /etc/default/crio-lxc',
      )
    const { readLog, logText } = await load(() => import('../lifecycle/logs.ts'))
    const entries = readLog(logFile, id, lines)
    if (json) writeOut(entries.map(({ line }) => `${line}\n`).join(''))
    else writeScreen(logText(entries, { coloured: wantsColour(), withId: id === undefined }))
    return 0
  },
})
