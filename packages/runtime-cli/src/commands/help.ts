import { defineCommand } from '../command-line/command.ts'
import { writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'help [command..]',
  describe: 'explain the program or a command, as --help does',
  options: {},
  examples: [
    ['help', 'all commands and the global options'],
    ['help kill', 'one command'],
  ],
  looks: true,
  unconfigured: true,
  async handler({ positionals: [name] }) {
    // Not known while the texts are being rendered from these very tables.
    const { helpText } = await import('./help-text.ts')
    writeOut(helpText(name))
    return 0
  },
})
