import { log } from '@crio-lxc/core/host/log/logger'
import { defineCommand, load } from '../command-line/command.ts'
import type { Option } from '../command-line/option.ts'

export default defineCommand({
  command: 'update <container-id>',
  describe: 'change the limits of a container',
  options: {
    resources: {
      type: 'string',
      alias: 'r',
      value: 'FILE',
      describe: 'linux.resources as JSON, - for standard input; other limits are then ignored, but not schemata',
    },
    'blkio-weight': limit('N', 'weight in block IO, 10 to 1000'),
    'cpu-period': limit('USEC', 'period of the CPU quota'),
    'cpu-quota': limit('USEC', 'CPU time in a period, -1 for no limit'),
    'cpu-burst': limit('USEC', 'unused CPU time that may be spent later'),
    'cpu-share': limit('N', 'CPU shares, 2 to 262144'),
    'cpu-rt-period': limit('USEC', 'period of the realtime quota'),
    'cpu-rt-runtime': limit('USEC', 'realtime CPU time in a period'),
    'cpu-idle': limit('0|1', '1: run only when nothing else does'),
    'cpuset-cpus': limit('LIST', 'CPUs to use, such as 0-3,7'),
    'cpuset-mems': limit('LIST', 'memory nodes to use'),
    memory: limit('BYTES', 'memory, with a unit such as 64M; -1 for no limit'),
    'memory-reservation': limit('BYTES', 'memory that is reclaimed last'),
    'memory-swap': limit('BYTES', 'memory and swap together, -1 for no limit'),
    'kernel-memory': limit('BYTES', 'ignored with a warning: Linux has no such limit any more'),
    'kernel-memory-tcp': limit('BYTES', 'memory of TCP buffers'),
    'pids-limit': limit('N', 'processes and threads, -1 for no limit'),
    'l3-cache-schema': limit('SCHEMA', 'share of the L3 cache, such as L3:0=ff;1=f0'),
    'mem-bw-schema': limit('SCHEMA', 'memory bandwidth, such as MB:0=20;1=70'),
  },
  examples: [
    ['update --memory 256M --memory-swap 256M web', 'no swap'],
    ['update --cpu-quota 50000 --cpu-period 100000 web', 'half a CPU'],
    ['update --resources - web', 'as CRI-O does it'],
  ],
  async handler({ settings, values, positionals: [id = ''] }) {
    const { update } = await load(() => import('../lifecycle/update.ts'))
    const { resources: file, 'kernel-memory': kernelMemory, ...flags } = values
    if (kernelMemory) log.warn('--kernel-memory is ignored: Linux has no such limit any more', { c: 'update' })
    const { intelRdtOfFlags, resourcesOfFlags } = await load(() => import('../lifecycle/update-flags.ts'))
    const intelRdt = intelRdtOfFlags(flags)
    if (file) {
      const { loadResources } = await load(() => import('../documents/load-resources.ts'))
      await update(settings, id, { resources: loadResources(file), intelRdt })
    } else await update(settings, id, { resources: resourcesOfFlags(flags), intelRdt })
    return 0
  },
})

function limit(value: string, describe: string) {
  return { type: 'string', value, describe } as const satisfies Option
}
