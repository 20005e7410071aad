import { messageOf, RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { connectUnix } from '@crio-lxc/core/sys/libc'

/** A connection to `--console-socket`, over which the terminal's master is sent. */
export function connectConsole(path: string): number {
  try {
    return connectUnix(path)
  } catch (cause) {
    const reason = messageOf(cause).replace(/^connect\(.*\): /s, '')
    throw new RuntimeError('io', `connect to the console socket ${path}: ${reason}: start its listener first`, {
      cause,
    })
  }
}
