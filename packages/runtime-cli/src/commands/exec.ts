import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Process } from '@crio-lxc/core/oci/spec'
import { defineCommand, load } from '../command-line/command.ts'
import type { Settings } from '../settings.ts'
import { absolutePath } from './bundle-options.ts'

export default defineCommand({
  command: 'exec <container-id> [command..]',
  describe: 'run another process in a container and return its exit code',
  needsDefaults: true,
  stopAtPositional: true,
  failureCode: 255,
  options: {
    process: { type: 'string', alias: 'p', value: 'FILE', describe: "the spec's process object, in place of COMMAND" },
    detach: { type: 'boolean', alias: 'd', describe: 'return when the process runs' },
    'pid-file': { type: 'string', value: 'FILE', describe: "write the process's pid to FILE" },
    user: { type: 'string', alias: 'u', value: 'UID[:GID]', describe: 'user and group, as numbers' },
    cwd: { type: 'string', value: 'DIR', describe: 'working directory in the container' },
    env: { type: 'list', alias: 'e', value: 'NAME=VALUE', describe: 'set an environment variable' },
    tty: { type: 'boolean', alias: 't', describe: 'give the process a pseudo terminal' },
    'console-socket': {
      type: 'string',
      value: 'PATH',
      describe: 'unix socket that receives the master end of the pseudo terminal',
    },
    'preserve-fds': { type: 'count', value: 'N', describe: 'pass N more file descriptors, from 3 on' },
    'additional-gids': { type: 'list', alias: 'g', value: 'GID', describe: 'add a supplementary group' },
    cap: { type: 'list', alias: 'c', value: 'CAP', describe: 'add a capability' },
    'no-new-privs': { type: 'boolean', describe: 'set no_new_privs' },
    apparmor: { type: 'string', value: 'PROFILE', describe: 'AppArmor profile' },
    'process-label': { type: 'string', value: 'LABEL', describe: 'SELinux label' },
    cgroup: {
      type: 'list',
      value: '[CONTROLLER,..:]PATH',
      describe: "run in the cgroup PATH below the container's, which exists",
    },
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
    const { user, cwd } = values
    return exec(settings, id, {
      args,
      env: [...(values.env ?? [])],
      tty: values.tty ?? false,
      detach: values.detach ?? false,
      ignorePaused: values['ignore-paused'] ?? false,
      additionalGids: (values['additional-gids'] ?? []).map(parseGid),
      caps: [...(values.cap ?? [])],
      ...(values.process ? { process: await readProcess(absolutePath(values.process, '--process'), settings) } : {}),
      ...(user === undefined ? {} : { user }),
      ...(cwd ? { cwd } : {}),
      ...(values['pid-file'] ? { pidFile: absolutePath(values['pid-file'], '--pid-file') } : {}),
      ...(values['console-socket'] ? { consoleSocket: values['console-socket'] } : {}),
      ...(values['pidfd-socket'] ? { pidfdSocket: values['pidfd-socket'] } : {}),
      ...(values.apparmor ? { apparmorProfile: values.apparmor } : {}),
      ...(values['process-label'] ? { selinuxLabel: values['process-label'] } : {}),
      cgroups: [...(values.cgroup ?? [])],
      ...(values['preserve-fds'] === undefined ? {} : { preserveFds: values['preserve-fds'] }),
      ...(values['no-new-privs'] === undefined ? {} : { noNewPrivs: values['no-new-privs'] }),
    })
  },
})

/** The validator is loaded for a file only: half of an exec's start. */
async function readProcess(file: string, { featureGates }: Settings): Promise<Process> {
  const { loadProcess } = await load(() => import('../creation/load-spec.ts'))
  return loadProcess(file, featureGates)
}

function parseGid(text: string): number {
  const gid = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(gid <= 0xfffffffe))
    throw new RuntimeError('usage', `invalid --additional-gids ${JSON.stringify(text)}: want a group id`)
  return gid
}
