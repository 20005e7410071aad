import { bundle, bundleLibrary } from '../../scripts/tsup-program.ts'

export default [
  ...bundle('crio-lxc', ['state', 'kill', 'delete', 'start', 'create', 'exec']),
  bundleLibrary({ index: 'src/library/index.ts', worker: 'src/library/worker.ts' }),
]
