/** crio-lxc as a library: docs/library.md. */
import '@crio-lxc/core/sys/node-engine'

export type { ErrorCode } from '@crio-lxc/core/errors/codes'
export { ErrExist, ErrNotExist, ErrNotRunning } from '@crio-lxc/core/errors/container-errors'
export { RuntimeError, SpecError } from '@crio-lxc/core/errors/runtime-error'
export { type ContainerFacts, ContainerInfo, type InitFacts } from '@crio-lxc/core/host/container/container-info'
export { createPidFile, decodeFileJSON } from '@crio-lxc/core/host/container/json-file'
export type { Log, SeedLevel } from '@crio-lxc/core/host/log/logger'
export type { LogFields } from '@crio-lxc/core/host/log/sink'
export type { ApiExtension } from '@crio-lxc/core/liblxc/api-extensions'
export {
  hasApiExtension,
  isConfigItemSupported,
  liblxcExtensions,
  liblxcVersion,
} from '@crio-lxc/core/liblxc/library'
export { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
export type * from '@crio-lxc/core/oci/linux'
export type * from '@crio-lxc/core/oci/resources'
export type * from '@crio-lxc/core/oci/spec'
export type { State, Status } from '@crio-lxc/core/oci/state'
export type { FeatureGates, MonitorMode, Settings, Timeouts } from '../settings.ts'
export { version } from '../version.ts'
export type {
  CallOptions,
  CreateOptions,
  ExecOptions,
  KillOptions,
  LogOptions,
  RuntimeOptions,
  StartOptions,
  WaitOptions,
} from './options.ts'
export { planAll } from './plan-all.ts'
export type { PlannedArgument, PlannedCgroup, PlannedHook, PlannedIdMap, PlannedStep, Plans } from './plans.ts'
export { Runtime } from './runtime.ts'
