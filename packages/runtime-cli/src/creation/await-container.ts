import { hasCreateHooks } from '@crio-lxc/core/oci/hook-points'
import { terminationMessageMount } from '@crio-lxc/core/oci/termination-message'
import { planTag } from '@crio-lxc/core/plan/plan'
import type { ProcessTrace } from '../plan-process/process-trace.ts'
import { awaitInit, type Waiting } from './await-init.ts'
import type { Filled } from './fill.ts'
import { moveNetDevices } from './move-net-devices.ts'
import type { Creation } from './occupy.ts'
import { netDevicesOf } from './plan/inputs.ts'
import { identifyInit } from './publish-init.ts'

/** Returns when init is ready for start. Meanwhile create does what the container cannot do for itself, and runs its hooks. */
export function awaitContainer(filled: Filled, { done }: Creation, trace: ProcessTrace | undefined): void {
  const { request, cgroup, hooks, monitor, guard, plan } = filled
  const { spec, settings, options } = request
  const waiting: Waiting = {
    plan,
    command: spec.process.args[0] ?? '',
    message: messageOf(filled)?.fd,
    timeoutMs: settings.timeouts.createMs,
    trace,
  }
  awaitInit(monitor, hooks.gate ? 'waiting' : 'ready', waiting)
  cgroup.manager.joined()
  cgroup.manager.limitForks()
  if (hooks.gate) {
    done('wait', 'init has made the mounts, and waits')
    actAtGate(filled, done)
    hooks.gate.open()
    awaitInit(monitor, 'ready', waiting)
  }
  guard?.remember()
  done('wait', 'init is ready: mounts, devices, user and capabilities are set, the executable is found')
  trace?.end((tag) =>
    tag === planTag.launch
      ? { pid: monitor.pid, name: 'crio-lxc-init, then crio-lxc-start' }
      : { pid: monitor.initPid(), name: `init of ${options.id}` },
  )
}

function actAtGate(
  { request, facts, hooks, programs, netDevices, inputs, monitor }: Filled,
  done: Creation['done'],
): void {
  const { settings, spec } = request
  const init = identifyInit(monitor)
  const { moved } = netDevicesOf({ userNamespace: inputs.userNamespace, netDevices })
  if (moved) {
    moveNetDevices(moved, init, {
      arch: inputs.arch,
      executor: programs.executor,
      timeoutMs: settings.timeouts.createMs,
    })
    done('network devices', 'moved the network devices')
  }
  if (spec.hooks && hasCreateHooks(spec.hooks)) {
    hooks.runner?.runCreateHooks(settings, facts, { hooks: spec.hooks, init })
    done('hooks', 'ran the hooks of create')
  }
}

/** The file that says why a container has ended, where it is mounted; undefined without one. */
export function messageOf({ request, inputs }: Filled): { readonly path: string; readonly fd: number } | undefined {
  const message = terminationMessageMount(request.spec)
  const fd = message && inputs.sources.mounts.get(message.index)?.fd
  return message && fd !== undefined ? { path: message.path, fd } : undefined
}
