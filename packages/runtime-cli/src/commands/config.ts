import { defineCommand } from '../command-line/command.ts'
import { jsonLine, writeOut } from '../command-line/output.ts'
import { table } from '../command-line/table.ts'

export default defineCommand({
  command: 'config',
  describe: 'print each setting and where it comes from',
  options: {
    default: { type: 'boolean', describe: 'print a commented defaults file, as for /etc/default/crio-lxc' },
    format: { type: 'string', alias: 'f', describe: 'how to print it', choices: ['table', 'json'], default: 'table' },
  },
  examples: [
    ['config', 'what applies here and now'],
    ['config --default > /etc/default/crio-lxc', 'begin with every variable, each commented out'],
  ],
  looks: true,
  async handler({ values, given }) {
    const { defaultsText, settingRows } = await import('../command-line/config-text.ts')
    if (values.default) writeOut(defaultsText())
    else if (values.format === 'json') writeOut(jsonLine(settingRows(given)))
    else
      writeOut(
        table([
          ['SETTING', 'VALUE', 'FROM'],
          ...settingRows(given).map(({ name, value, from }) => [name, value, from]),
        ]),
      )
    return 0
  },
})
