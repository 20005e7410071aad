import type { State } from '@crio-lxc/core/oci/state'
import { engineName } from './engine-names.ts'

/** The cells of `list --wide`, header first. PURE. */
export function wideRows(states: readonly State[], nowMs: number): string[][] {
  const rows = states.map((state) => {
    const { id, pid, status, created } = state
    const pod = engineName(state, 'pod')
    const namespace = engineName(state, 'namespace')
    return [
      id,
      String(pid),
      status,
      ageOf(created, nowMs),
      pod === undefined ? '-' : [namespace, pod].filter(Boolean).join('/'),
      engineName(state, 'name') ?? '-',
      engineName(state, 'image') ?? '-',
      managerOf(state),
    ]
  })
  return [['ID', 'PID', 'STATUS', 'AGE', 'POD', 'NAME', 'IMAGE', 'ENGINE'], ...rows]
}

/** libpod is podman; an engine that does not say its name has names of its own. */
function managerOf(state: State): string {
  const said = engineName(state, 'manager')
  if (said !== undefined) return said === 'libpod' ? 'podman' : said
  const names = Object.keys(state.annotations ?? {})
  if (names.some((name) => name.startsWith('io.kubernetes.cri.'))) return 'containerd'
  return names.some((name) => name.startsWith('io.kubernetes.cri-o.')) ? 'cri-o' : '-'
}

/** The two largest units of a duration. PURE. */
export function ageOf(created: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(created)) / 1000)
  // A record of an older version, or a clock that was set back.
  if (Number.isNaN(seconds) || seconds < 0) return '-'
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0s'
  return parts
    .slice(first, first + 2)
    .flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : []))
    .join('')
}
