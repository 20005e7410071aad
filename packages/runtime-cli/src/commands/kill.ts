import { parseSignal } from '@crio-lxc/core/host/process/signals'
import { defineCommand, load } from '../command-line/command.ts'

export default defineCommand({
  command: 'kill <container-id> [signal]',
  describe: "send a signal (default SIGTERM) to the container's process",
  options: {
    all: { type: 'boolean', alias: 'a', describe: 'send it to all processes of the container' },
  },
  examples: [
    ['kill web', 'ask the process to end'],
    ['kill web KILL', 'a name with or without SIG, in any case, or a number'],
    ['kill --all web 9', 'every process in the cgroup of the container'],
  ],
  async handler({ settings, values, positionals: [id = '', signal = 'SIGTERM'] }) {
    const { kill } = await load(() => import('../lifecycle/kill.ts'))
    kill(settings, id, parseSignal(signal), { all: values.all ?? false })
    return 0
  },
})
