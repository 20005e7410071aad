/** liblxc's view of a container of this runtime: its config, without what belongs to the process that starts it. */
import type { ContainerInfo } from '@crio-lxc/core/host/container/container-info'
import { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
import { close, writeAll } from '@crio-lxc/core/sys/fd'
import { readText } from '@crio-lxc/core/sys/files'
import { memfdCreate } from '@crio-lxc/core/sys/memfd'

/** There is nothing: it gives the directory of liblxc's locks its name, and is the same for all, so that there is one. */
const LXC_PATH = '/crio-lxc'

/** Throws ErrNotExist, or RuntimeError `liblxc`. */
export function openLxcContainer(info: ContainerInfo): LxcContainer {
  info.load()
  const container = new LxcContainer(info.containerId, LXC_PATH)
  const file = memfdCreate('config')
  try {
    writeAll(file, withoutLog(readText(info.configFilePath())))
    container.loadConfig(`/proc/self/fd/${file}`)
    return container
  } catch (error) {
    container.close()
    throw error
  } finally {
    close(file)
  }
}

/** liblxc opens its log when it reads the line, and the number in it is that of a file of the monitor. */
function withoutLog(config: string): string {
  return config.replace(/^lxc\.log\..*\n/gm, '')
}
