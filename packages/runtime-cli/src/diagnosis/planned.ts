/** What create has written down: its own records and the config of liblxc. PURE. */
import type { ContainerFacts, InitFacts } from '@crio-lxc/core/host/container/container-info'
import type { Facts } from './inspection.ts'

export interface Planned {
  readonly facts: ContainerFacts
  readonly init: InitFacts | undefined
  /** The config of liblxc. */
  readonly config: string
}

/** liblxc's own words for two of them. */
const shortNames: Readonly<Record<string, string>> = { network: 'net', mount: 'mnt' }

export function plannedFacts({ facts, init, config }: Planned): Facts {
  const cloned = (/^lxc\.namespace\.clone = (.*)$/m.exec(config)?.[1] ?? '').split(' ')
  const left = Object.entries({
    seccomp: facts.seccomp,
    'capabilities.effective': facts.capabilities,
    apparmorProfile: facts.apparmor,
  }).flatMap(([name, on]) => (on ? [] : [[name, 'left out by the settings'] as const]))
  return {
    args: init && [init.command],
    ...Object.fromEntries(
      (facts.namespaces ?? []).map(({ type, path }) => [
        `namespaces.${type}`,
        path ? 'joined' : cloned.includes(shortNames[type] ?? type) ? 'made by liblxc' : 'made by init',
      ]),
    ),
    cgroupsPath: facts.withoutCgroup
      ? 'none of its own'
      : [facts.cgroupDir, facts.systemdUnits?.container].filter(Boolean).join(', '),
    root: facts.rootfs,
    hooks: Object.entries(facts.hooks ?? {}).flatMap(([name, { length = 0 } = []]) =>
      length > 0 ? [`${length} ${name}`] : [],
    ),
    monitor: init && (init.monitor === undefined ? 'handed over' : `resident, pid ${init.monitor.pid}`),
    ...Object.fromEntries(left),
  }
}
