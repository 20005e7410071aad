import { bundle } from '../../scripts/tsup-program.ts'

export default bundle('crio-lxc', ['state', 'kill', 'delete', 'start', 'create', 'exec'])
