import type { ContainerFacts } from '@crio-lxc/core/host/container/container-facts'
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { executableIdentity, fileIdentity, identify } from '@crio-lxc/core/host/process/proc'
import { readDirectory } from '@crio-lxc/core/sys/files'
import { endProcess } from './end-process.ts'

/** Ends an init that waits for start and of which nobody knows, as create was killed: it holds the directory of its fifo. */
export function endUnknownInit(info: ContainerInfo, { initExecutable }: ContainerFacts, timeoutMs: number): void {
  const directory = fileIdentity(info.runtimePath('fifo'))
  if (directory === undefined) return
  for (const name of readDirectory('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || executableIdentity(pid) !== initExecutable || !holds(pid, directory)) continue
    const identity = identify(pid)
    if (identity) endProcess(identity, timeoutMs)
  }
}

function holds(pid: number, file: string): boolean {
  try {
    return readDirectory(`/proc/${pid}/fd`).some((fd) => fileIdentity(`/proc/${pid}/fd/${fd}`) === file)
  } catch {
    // It has ended.
    return false
  }
}
