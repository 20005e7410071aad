/** What create and run have in common. */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { environment, absolutePath as resolved } from '@crio-lxc/core/sys/program'
import { listenFds } from '../caller/preserved-fds.ts'
import type { Options, Values } from '../command-line/option.ts'
import type { CreateOptions } from '../creation/create-options.ts'

export const bundleOptions = {
  bundle: { type: 'string', alias: 'b', value: 'DIR', describe: 'the bundle, by default the current directory' },
  'console-socket': {
    type: 'string',
    value: 'PATH',
    describe: 'unix socket that receives the master end of the pseudo terminal',
  },
  'pid-file': { type: 'string', value: 'FILE', describe: "write the pid of the container's process to FILE" },
  'no-pivot': { type: 'boolean', describe: 'do not use pivot_root, for a root filesystem on a ramdisk' },
  'no-new-keyring': { type: 'boolean', describe: 'keep the session keyring of the caller' },
  'preserve-fds': { type: 'count', value: 'N', describe: 'pass N more file descriptors, from 3 on' },
  'pidfd-socket': { type: 'string', value: 'PATH', describe: 'unix socket that receives a pidfd of the process' },
} as const satisfies Options

/** The lifecycle's form of the options. */
export function toCreateOptions(id: string, values: Values<typeof bundleOptions>): CreateOptions {
  return {
    id,
    bundle: absolutePath(values.bundle || '.', '--bundle'),
    ...(values['pid-file'] ? { pidFile: absolutePath(values['pid-file'], '--pid-file') } : {}),
    ...(values['console-socket'] ? { consoleSocket: values['console-socket'] } : {}),
    noPivot: values['no-pivot'] ?? false,
    noNewKeyring: values['no-new-keyring'] ?? false,
    preserveFds: values['preserve-fds'] ?? 0,
    listenFds: listenFds(environment()),
    notifySocket: environment()['NOTIFY_SOCKET'],
    ...(values['pidfd-socket'] ? { pidfdSocket: values['pidfd-socket'] } : {}),
  }
}

/** `path` made absolute; the current directory may have been removed. */
export function absolutePath(path: string, option: string): string {
  try {
    return resolved(path)
  } catch (error) {
    throw new RuntimeError('io', `resolve ${option} ${path}: the current directory does not exist`, { cause: error })
  }
}
