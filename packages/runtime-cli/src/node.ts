/** The program on Node: the engine first, which everything else finds when it is loaded. */
import '@crio-lxc/core/sys/node-engine'

const { run } = await import('./program.ts')
await run()
