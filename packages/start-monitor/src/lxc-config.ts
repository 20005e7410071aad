/**
 * The liblxc config: constants, numbers and the installation's own path. Nothing of config.json is written into it
 * as text, because a newline in a value would become a directive and hooks in it run as root on the host.
 */

import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { STAGE_INIT } from '@crio-lxc/core/plan/stage'

export interface LxcConfigInputs {
  /** Absolute path of libexec/crio-lxc. */
  readonly libexec: string
  /**
   * Namespaces to be made. A time namespace is made by the plan, and in a user namespace that of ipc too: liblxc would make
   * it as root of the host, whose message queue filesystem nobody in the container owns.
   */
  readonly newNamespaces: readonly NamespaceType[]
  /**
   * Namespaces to be joined (plans join cgroup and time namespaces, which liblxc cannot): an fd that the monitor inherits,
   * of the namespace's file.
   */
  readonly joinedNamespaces: ReadonlyMap<NamespaceType, number>
  /** The ids of the user namespace, new or joined. */
  readonly idMappings: IdMappings | undefined
  /** The plan's fd in init. */
  readonly plan: number
  /** fd of the file that takes liblxc's log. */
  readonly log: number
  readonly logLevel: string
}

/** The files of /proc/PID/ns, by which lxc.container.conf(5) names namespaces too. */
export const namespaceFiles: Readonly<Record<NamespaceType, string>> = {
  pid: 'pid',
  network: 'net',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
}

export function lxcConfig(inputs: LxcConfigInputs): string {
  const { libexec, newNamespaces, joinedNamespaces, idMappings, plan, log, logLevel } = inputs
  const left: readonly NamespaceType[] = idMappings ? ['time', 'ipc'] : ['time']
  // The log first, so that it has the errors of the lines after it.
  const lines: (readonly [key: string, value: string])[] = [
    ['lxc.log.file', `/proc/self/fd/${log}`],
    ['lxc.log.level', logLevel],
    ['lxc.rootfs.path', `dir:${checkPath(libexec)}/stage`],
    ['lxc.rootfs.mount', `${libexec}/lxc`],
    ['lxc.rootfs.managed', '0'],
    newNamespacesLine(newNamespaces.filter((type) => !left.includes(type))),
    ...[...joinedNamespaces]
      .filter(([type]) => type !== 'cgroup' && type !== 'time')
      .map(([type, fd]) => [`lxc.namespace.share.${namespaceFiles[type]}`, `/proc/self/fd/${fd}`] as const),
    // Of a joined user namespace too: liblxc becomes root in it only when it knows of one.
    ...idMapLines(idMappings),
    ['lxc.init.cmd', `/${STAGE_INIT} ${plan}`],
    // init outlives the monitor, which create ends as soon as init is parked.
    ['lxc.monitor.signal.pdeath', '0'],
    // What the plan does itself, or what must not be done to the stage.
    ['lxc.keyring.session', '1'],
    ['lxc.autodev', '0'],
    ['lxc.mount.auto', ''],
    ['lxc.pty.max', '0'],
    ['lxc.tty.max', '0'],
    ['lxc.console.path', 'none'],
    ['lxc.apparmor.profile', 'unchanged'],
  ]
  return `${lines.map(([key, value]) => `${key} = ${value}`).join('\n')}\n`
}

/** To liblxc a list that is empty is none, and then it makes a namespace of every type. */
function newNamespacesLine(types: readonly NamespaceType[]): readonly [key: string, value: string] {
  if (types.length === 0) return ['lxc.namespace.keep', Object.values(namespaceFiles).join(' ')]
  return ['lxc.namespace.clone', types.map((type) => namespaceFiles[type]).join(' ')]
}

/** The environment has no PATH, so liblxc finds no newuidmap and writes the maps itself. */
function idMapLines({ uids, gids }: IdMappings = { uids: [], gids: [] }): (readonly [key: string, value: string])[] {
  return Object.entries({ u: uids, g: gids }).flatMap(([kind, mappings]) =>
    mappings.map(({ containerID, hostID, size }) => ['lxc.idmap', `${kind} ${containerID} ${hostID} ${size}`] as const),
  )
}

/** The one path in the config: a blank at its end or a newline in it would change what liblxc reads. */
function checkPath(libexec: string): string {
  if (/^\/[\x21-\x7e]+$/.test(libexec)) return libexec
  throw new RuntimeError(
    'liblxc',
    `use ${JSON.stringify(libexec)} in a liblxc config: it has blanks or other special characters: install elsewhere`,
  )
}
