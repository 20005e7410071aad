import { O_PATH, O_RDWR } from '@crio-lxc/core/abi/constants'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { START_FIFO } from '@crio-lxc/core/plan/fifo-names'
import { type Fd, pipe } from '@crio-lxc/core/sys/fd'
import type { FdScope } from '@crio-lxc/core/sys/fd-scope'
import {
  makeDirectory,
  makeFifo,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_WRONLY,
  openFile,
} from '@crio-lxc/core/sys/files'
import { memfdCreate } from '@crio-lxc/core/sys/memfd'
import { changeMode } from '@crio-lxc/core/sys/owner-and-mode'

/** What the monitor and init have of create, and the ends that create has of it. */
export interface MonitorFiles {
  readonly config: Fd
  readonly log: Fd
  readonly logPath: string
  readonly fifoDirectory: Fd
  readonly report: Fd
  readonly reportRead: Fd
  readonly go: Fd
  readonly goWrite: Fd
  /** Files for the plans. */
  readonly wait: Fd
  readonly plan: Fd
}

export function openMonitorFiles(info: ContainerInfo, fds: FdScope): MonitorFiles {
  const logPath = info.runtimePath('lxc.log')
  const plan = fds.keep(memfdCreate('plan'))
  const config = fds.keep(openFile(info.configFilePath(), O_RDWR | O_CREAT | O_EXCL, 0o600))
  const log = fds.keep(openFile(logPath, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600))
  const fifoDirectory = fds.keep(makeStartFifo(info))
  const [reportRead, report] = pipe()
  fds.keep(reportRead)
  fds.keep(report)
  const [go, goWrite] = pipe()
  fds.keep(go)
  fds.keep(goWrite)
  const wait = fds.keep(memfdCreate('plan'))
  return { config, log, logPath, fifoDirectory, report, reportRead, go, goWrite, wait, plan }
}

/**
 * init opens the fifo as the container's user, below an fd of its directory: that directory can be entered by all, and
 * nobody but init can reach it, because the runtime directory around it is 0700.
 */
function makeStartFifo(info: ContainerInfo): Fd {
  const directory = info.runtimePath('fifo')
  makeDirectory(directory, 0o711)
  makeFifo(`${directory}/${START_FIFO}`, 0o600)
  changeMode(`${directory}/${START_FIFO}`, 0o622)
  return openFile(directory, O_PATH | O_DIRECTORY)
}
