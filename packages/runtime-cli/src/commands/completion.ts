import { defineCommand } from '../command-line/command.ts'
import { completionScript } from '../command-line/completion-scripts.ts'
import { writeOut } from '../command-line/output.ts'

export default defineCommand({
  command: 'completion [shell]',
  describe: 'print what completes commands, options and ids in bash, zsh or fish',
  options: {},
  examples: [
    ['completion > /etc/bash_completion.d/crio-lxc', 'for bash; `source <(crio-lxc completion)` for this shell alone'],
    ['completion zsh > /usr/local/share/zsh/site-functions/_crio-lxc', 'for zsh'],
    ['completion fish > /etc/fish/completions/crio-lxc.fish', 'for fish'],
  ],
  looks: true,
  unconfigured: true,
  handler({ positionals: [shell = 'bash'] }) {
    writeOut(completionScript(shell))
    return 0
  },
})
