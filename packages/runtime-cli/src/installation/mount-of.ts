import { close } from '@crio-lxc/core/sys/fd'
import { O_PATH, openFile, readText } from '@crio-lxc/core/sys/files'

export interface Mount {
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

/** The mount that a file lies on; proc_pid_fdinfo(5) names it, proc_pid_mountinfo(5) says what it is. */
export function mountOf(path: string): Mount | undefined {
  const fd = openFile(path, O_PATH)
  try {
    const id = /^mnt_id:\s*(\d+)$/m.exec(readText(`/proc/self/fdinfo/${fd}`))?.[1]
    const line = readText('/proc/self/mountinfo')
      .split('\n')
      .find((line) => line.startsWith(`${id} `))
    const [, , , , point = '', options = ''] = line?.split(' ') ?? []
    const type = line?.split(' - ', 2)[1]?.split(' ')[0] ?? ''
    return line === undefined ? undefined : { point, type, options: options.split(',') }
  } finally {
    close(fd)
  }
}
