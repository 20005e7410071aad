/** inspect: what was asked of a container, what create made of it, and what it is. */
import { messageOf } from '@crio-lxc/core/errors/runtime-error'
import { ownsCgroup } from '@crio-lxc/core/host/container/own-cgroup'
import { log } from '@crio-lxc/core/host/log/logger'
import { isAlive } from '@crio-lxc/core/host/process/proc'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Spec } from '@crio-lxc/core/oci/spec'
import { readFile } from '@crio-lxc/core/sys/files'
import { stateOf } from '../container/container-state.ts'
import { type Container, loadContainer } from '../container/load-container.ts'
import { askedFacts } from '../diagnosis/asked.ts'
import { hostText } from '../diagnosis/host-text.ts'
import type { Facts, Inspection } from '../diagnosis/inspection.ts'
import { plannedFacts } from '../diagnosis/planned.ts'
import { presentFacts } from '../diagnosis/present.ts'
import type { Settings } from '../settings.ts'

export { inspectionRows } from '../diagnosis/inspection.ts'

/** Throws ErrNotExist. */
export function inspect(settings: Settings, id: string): Inspection {
  const container = loadContainer(settings, id)
  const { status, pid, bundle, created } = stateOf(container)
  const { info, facts, init } = container
  const config = hostText(info.configFilePath()) ?? ''
  const spec = askedSpec(container)
  return {
    id,
    status,
    pid,
    bundle,
    created,
    asked: spec ? askedFacts(spec) : {},
    planned: plannedFacts({ facts, init, config }),
    is: present(container, spec),
  }
}

/** The copy that create keeps: the bundle's may have been changed since. */
function askedSpec({ info }: Container): Spec | undefined {
  const path = info.runtimePath('config.json')
  try {
    return parseSpec(readFile(path))
  } catch (error) {
    log.warn(`what was asked cannot be told: read ${path}: ${messageOf(error)}`, { c: 'inspect' })
    return undefined
  }
}

function present(container: Container, spec: Spec | undefined): Facts {
  const { facts, init, status } = container
  if (init === undefined || status === 'stopped') return {}
  const found = presentFacts(init.init.pid, ownsCgroup(container) ? facts.cgroupDir : undefined, {
    rlimits: (spec?.process.rlimits ?? []).map(({ type }) => type),
    sysctls: Object.keys(spec?.linux?.sysctl ?? {}),
  })
  // Its pid may have become another's while it was looked at.
  return isAlive(init.init) ? found : {}
}
