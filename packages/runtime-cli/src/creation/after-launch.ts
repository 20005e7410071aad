/** What create needs once the monitor has been launched: as one module, loaded while liblxc works. */
export { applyDevicePlan } from '@crio-lxc/core/cgroup/device-filter'
export { planContainer } from '@crio-lxc/init/container-plan'
export { agentOf } from '../caller/seccomp-listener.ts'
export { appliedSeccomp, processInputs } from '../entering/process-inputs.ts'
export { resolveDestinations } from '../sources/destinations.ts'
export { awaitInit } from './await-init.ts'
export { identifyInit, publishInit } from './publish-init.ts'
