import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { defineCommand, load } from '../command-line/command.ts'
import { absolutePath } from './bundle-options.ts'
import { processOptions, surroundingOptions, toProcessOptions, toSurroundings } from './process-options.ts'

export default defineCommand({
  command: 'exec <container-id> [command..]',
  describe: 'run another process in a container and return its exit code',
  needsDefaults: true,
  stopAtPositional: true,
  failureCode: 255,
  options: {
    process: processOptions.process,
    detach: { type: 'boolean', alias: 'd', describe: 'return when the process runs' },
    'pid-file': { type: 'string', value: 'FILE', describe: "write the process's pid to FILE" },
    user: processOptions.user,
    cwd: processOptions.cwd,
    env: processOptions.env,
    tty: processOptions.tty,
    'console-socket': surroundingOptions['console-socket'],
    'preserve-fds': surroundingOptions['preserve-fds'],
    'additional-gids': processOptions['additional-gids'],
    cap: processOptions.cap,
    'no-new-privs': processOptions['no-new-privs'],
    apparmor: processOptions.apparmor,
    'process-label': processOptions['process-label'],
    cgroup: surroundingOptions.cgroup,
    'ignore-paused': { type: 'boolean', describe: 'in a paused container, wait until it is resumed' },
    'pidfd-socket': { type: 'string', value: 'PATH', describe: 'unix socket that receives a pidfd of the process' },
  },
  examples: [
    ['exec web ps -ef', "everything after the container's id is the command"],
    ['exec --tty --env TERM=xterm web sh', 'a shell on this terminal'],
    ['exec --process p.json --detach --pid-file p.pid web', 'as CRI-O does it'],
  ],
  async handler({ settings, values, positionals: [id = '', ...args] }) {
    if (args.length === 0 && !values.process)
      throw new RuntimeError('usage', '"exec" requires a command after the container id, or --process FILE')
    if (args.length > 0 && values.process)
      throw new RuntimeError('usage', '"exec" takes either a command or --process FILE, not both')
    const { exec } = await load(() => import('../lifecycle/exec.ts'))
    return exec(settings, id, {
      args,
      ...(await toProcessOptions(values, settings)),
      ...toSurroundings(values),
      detach: values.detach ?? false,
      ignorePaused: values['ignore-paused'] ?? false,
      ...(values['pid-file'] ? { pidFile: absolutePath(values['pid-file'], '--pid-file') } : {}),
      ...(values['pidfd-socket'] ? { pidfdSocket: values['pidfd-socket'] } : {}),
    })
  },
})
