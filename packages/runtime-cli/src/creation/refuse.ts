/** What create can refuse before it has looked at more of the host than the bundle. */
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { notifies } from '@crio-lxc/core/seccomp/filter'
import { type Notifier, notifierOf } from '../caller/notifier.ts'
import { preservedFds } from '../caller/preserved-fds.ts'
import { type LoadedSpec, loadSpec } from '../documents/load-spec.ts'
import { checkHooksWithAgent } from '../hooks/check-hooks.ts'
import type { FeatureGates, Settings } from '../settings.ts'
import type { CreateOptions } from './create-options.ts'

/** What is asked for, as far as it stands in the arguments and the bundle. */
export interface CreateRequest extends LoadedSpec {
  readonly settings: Settings
  readonly options: CreateOptions
  /** The caller's descriptors that the process keeps. */
  readonly preserved: readonly number[]
  /** Given for a container that is to say when it is ready. */
  readonly notifier: Notifier | undefined
  /** Given for a container without a cgroup of its own. */
  readonly withoutCgroup: typeof import('./without-cgroup.ts') | undefined
}

/** Throws RuntimeError. The caller's descriptors are looked at before anything is opened. */
export async function refuse(settings: Settings, options: CreateOptions): Promise<CreateRequest> {
  const { listenFds = 0, preserveFds = 0, bundle } = options
  const preserved = preservedFds(preserveFds, listenFds)
  const notifier = await notifierOf(options)
  const loaded = options.loaded ?? loadSpec(bundle, settings.featureGates)
  const { spec } = loaded
  checkTerminal(spec, options)
  checkAgent(spec, settings.featureGates)
  const withoutCgroup = settings.withoutCgroup ? await import('./without-cgroup.ts') : undefined
  withoutCgroup?.checkWithoutCgroup(spec)
  return { ...loaded, settings, options, preserved, notifier, withoutCgroup }
}

function checkTerminal(spec: Spec, { consoleSocket, console }: CreateOptions): void {
  const hasSocket = consoleSocket !== undefined || console !== undefined
  if (spec.process.terminal && !hasSocket)
    throw new RuntimeError('usage', 'process.terminal is true: give the socket for the terminal with --console-socket')
  if (!spec.process.terminal && hasSocket)
    throw new RuntimeError('usage', 'process.terminal is false: --console-socket has no terminal to send')
}

function checkAgent({ linux, hooks }: Spec, featureGates: FeatureGates): void {
  if (featureGates.seccomp && linux?.seccomp && notifies(linux.seccomp)) checkHooksWithAgent(hooks)
}
