/**
 * Hooks that write down what they see. One directory of the host, which the container sees at the same path, holds
 * their scripts and their records, so that hooks on either side of pivot_root can be compared.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from './bundle.ts'
import type { Containers, State } from './containers.ts'
import type { Hook, HookPoint, Hooks, Spec } from './spec.ts'

/** In the order of the lifecycle. */
export const hookPoints = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies HookPoint[]

export class HookRecorder {
  constructor(readonly directory: string) {
    // Hooks of start run as the container's user.
    chmodSync(directory, 0o777)
    const namespaces = 'for ns in mnt pid net uts ipc; do readlink /proc/self/ns/$ns; done'
    this.#script('record', `cd ${directory}; cat > $1.state; echo $1 >> order; ${namespaces} > $1.ns`)
    this.#script('fail', 'echo first words >&2; echo more of them >&2; echo the real cause >&2; exit 3')
  }

  /** Makes the directory visible in the container. */
  bind(spec: Spec): void {
    const { directory } = this
    spec.mounts.push({ destination: directory, type: 'bind', source: directory, options: ['bind', 'rw'] })
  }

  /** A hook that records its state, its namespaces and that it has run, under this name. */
  record(name: string): Hook {
    return this.shell(`. ${this.directory}/record`, name)
  }

  /** A hook that writes to stderr and exits with 3. */
  fail(): Hook {
    return this.shell(`. ${this.directory}/fail`)
  }

  /** A hook that runs a shell script with `$1`. */
  shell(script: string, argument = ''): Hook {
    return { path: '/bin/sh', args: ['sh', '-c', script, 'sh', argument], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] }
  }

  /** Names of the hooks that have recorded something, in their order. */
  order(): string[] {
    return this.lines('order')
  }

  state(name: string): State {
    return JSON.parse(readFileSync(join(this.directory, `${name}.state`), 'utf8')) as State
  }

  /** The namespaces of a hook by their kind: `mnt:[4026531841]` of `mnt`. */
  namespaces(name: string): Record<string, string> {
    return Object.fromEntries(this.lines(`${name}.ns`).map((link) => [link.split(':')[0] ?? '', link]))
  }

  /** The non-empty lines of a file that a hook may have written. */
  lines(file: string): string[] {
    return this.text(file).split('\n').filter(Boolean)
  }

  text(file: string): string {
    const path = join(this.directory, file)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  #script(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text, { mode: 0o755 })
  }
}

type MakeHooks = (recorder: HookRecorder, spec: Spec, rootfs: string) => Hooks

/** Returns a maker of bundles with hooks; `hooks` may change the rest of the spec too. */
export function useHooks(containers: Containers) {
  return async (hooks: MakeHooks): Promise<{ r: HookRecorder; bundle: Bundle }> => {
    const r = new HookRecorder(containers.hostDirectory('hooks-'))
    const bundle = await containers.bundle()
    const { spec, rootfs } = bundle
    r.bind(spec)
    spec.hooks = hooks(r, spec, rootfs)
    bundle.writeConfig(spec)
    return { r, bundle }
  }
}

/** The same hooks at every point. */
export function everywhere(hooks: (point: HookPoint) => Hook[]): Hooks {
  return Object.fromEntries(hookPoints.map((point) => [point, hooks(point)]))
}

/** Creates, starts, lets the process end and deletes. */
export async function wholeLife(containers: Containers, bundle: Bundle): Promise<{ id: string; pid: number }> {
  const { id, pid } = await containers.stopped(bundle)
  await containers.ok(['delete', id])
  return { id, pid }
}
