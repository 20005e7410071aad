/** What describes a process beside its command: for exec, and for the plan of one. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Process } from '@crio-lxc/core/oci/spec'
import { load } from '../command-line/command.ts'
import type { Options, Values } from '../command-line/option.ts'
import type { ExecOptions } from '../entering/exec-options.ts'
import type { Settings } from '../settings.ts'
import { absolutePath } from './bundle-options.ts'

export const processOptions = {
  process: { type: 'string', alias: 'p', value: 'FILE', describe: "the spec's process object, in place of COMMAND" },
  user: { type: 'string', alias: 'u', value: 'UID[:GID]', describe: 'user and group, as numbers' },
  cwd: { type: 'string', value: 'DIR', describe: 'working directory in the container' },
  env: { type: 'list', alias: 'e', value: 'NAME=VALUE', describe: 'set an environment variable' },
  tty: { type: 'boolean', alias: 't', describe: 'give the process a pseudo terminal' },
  'additional-gids': { type: 'list', alias: 'g', value: 'GID', describe: 'add a supplementary group' },
  cap: { type: 'list', alias: 'c', value: 'CAP', describe: 'add a capability' },
  'no-new-privs': { type: 'boolean', describe: 'set no_new_privs' },
  apparmor: { type: 'string', value: 'PROFILE', describe: 'AppArmor profile' },
  'process-label': { type: 'string', value: 'LABEL', describe: 'SELinux label' },
} as const satisfies Options

/** What of its caller and of the container's cgroups it gets: its plan differs by them too. */
export const surroundingOptions = {
  'console-socket': {
    type: 'string',
    value: 'PATH',
    describe: 'unix socket that receives the master end of the pseudo terminal',
  },
  'preserve-fds': { type: 'count', value: 'N', describe: 'pass N more file descriptors, from 3 on' },
  cgroup: {
    type: 'list',
    value: '[CONTROLLER,..:]PATH',
    describe: "run in the cgroup PATH below the container's, which exists",
  },
} as const satisfies Options

export function toSurroundings(
  values: Values<typeof surroundingOptions>,
): Pick<ExecOptions, 'consoleSocket' | 'preserveFds' | 'cgroups'> {
  const { 'console-socket': consoleSocket, 'preserve-fds': preserveFds, cgroup: cgroups = [] } = values
  return {
    ...(consoleSocket ? { consoleSocket } : {}),
    ...(preserveFds === undefined ? {} : { preserveFds }),
    cgroups: [...cgroups],
  }
}

export type ProcessOptions = Pick<
  ExecOptions,
  | 'process'
  | 'user'
  | 'cwd'
  | 'env'
  | 'tty'
  | 'additionalGids'
  | 'caps'
  | 'noNewPrivs'
  | 'apparmorProfile'
  | 'selinuxLabel'
>

/** The lifecycle's form of them. */
export async function toProcessOptions(
  values: Values<typeof processOptions>,
  settings: Settings,
): Promise<ProcessOptions> {
  const { user, cwd } = values
  return {
    env: [...(values.env ?? [])],
    tty: values.tty ?? false,
    additionalGids: (values['additional-gids'] ?? []).map(parseGid),
    caps: [...(values.cap ?? [])],
    ...(values.process ? { process: await readProcess(absolutePath(values.process, '--process'), settings) } : {}),
    ...(user ? { user } : {}),
    ...(cwd ? { cwd } : {}),
    ...(values.apparmor ? { apparmorProfile: values.apparmor } : {}),
    ...(values['process-label'] ? { selinuxLabel: values['process-label'] } : {}),
    ...(values['no-new-privs'] === undefined ? {} : { noNewPrivs: values['no-new-privs'] }),
  }
}

/** The validator is loaded for a file only: half of an exec's start. */
async function readProcess(file: string, { featureGates }: Settings): Promise<Process> {
  const { loadProcess } = await load(() => import('../documents/load-process.ts'))
  return loadProcess(file, featureGates)
}

function parseGid(text: string): number {
  const gid = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(gid <= 0xfffffffe))
    throw new RuntimeError('usage', `invalid --additional-gids ${JSON.stringify(text)}: want a group id`)
  return gid
}
