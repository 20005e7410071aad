/** The verbs that change something, each with the state of a container that it needs. */
import { join } from 'node:path'
import type { Bundle } from '../../support/bundle.ts'
import type { Containers, State } from '../../support/containers.ts'
import { expectOk } from './aftermath.ts'
import { bundleWithHooks, makeDevice, mappedBundle } from './bundles.ts'

export interface Scenario {
  /** Default: that of a container that runs until it is killed. */
  readonly bundle?: (t: Containers) => Promise<Bundle>
  /** Makes what every create takes from the host for good. */
  readonly host?: () => Promise<void>
  /** Brings the container about. */
  readonly prepare: (t: Containers, id: string, bundle: Bundle) => Promise<void>
  readonly args: (id: string, bundle: Bundle) => string[]
  /** The first path that the verb itself touches. */
  readonly from: (t: Containers, id: string, bundle: Bundle) => string
  /** The status when the verb has succeeded. */
  readonly leaves: State['status'] | undefined
}

const nothing = async (): Promise<void> => undefined
const created = async (t: Containers, id: string, bundle: Bundle): Promise<void> =>
  expectOk(t, ['create', '--bundle', bundle.path, id])
const running = async (t: Containers, id: string, bundle: Bundle): Promise<void> => {
  await created(t, id, bundle)
  await expectOk(t, ['start', id])
}
const paused = async (t: Containers, id: string, bundle: Bundle): Promise<void> => {
  await running(t, id, bundle)
  await expectOk(t, ['pause', id])
}
const config = (_t: Containers, _id: string, bundle: Bundle): string => join(bundle.path, 'config.json')
const directory = (t: Containers, id: string): string => join(t.root, id)

const plain = {
  create: {
    prepare: nothing,
    args: (id, bundle) => ['create', '--bundle', bundle.path, '--pid-file', join(bundle.path, 'pid'), id],
    from: config,
    leaves: 'created',
  },
  'run --detach': {
    prepare: nothing,
    args: (id, bundle) => ['run', '--detach', '--bundle', bundle.path, id],
    from: config,
    leaves: 'running',
  },
  start: { prepare: created, args: (id) => ['start', id], from: directory, leaves: 'running' },
  'exec --detach': {
    prepare: running,
    args: (id) => ['exec', '--detach', id, 'sleep', '1000'],
    from: directory,
    leaves: 'running',
  },
  'delete --force': {
    prepare: running,
    args: (id) => ['delete', '--force', id],
    from: directory,
    leaves: undefined,
  },
  delete: { prepare: created, args: (id) => ['delete', id], from: directory, leaves: undefined },
  'kill KILL': { prepare: running, args: (id) => ['kill', id, 'KILL'], from: directory, leaves: 'stopped' },
  'kill --all TERM': {
    prepare: running,
    args: (id) => ['kill', '--all', id, 'TERM'],
    from: directory,
    leaves: 'stopped',
  },
  pause: { prepare: running, args: (id) => ['pause', id], from: directory, leaves: 'paused' },
  resume: { prepare: paused, args: (id) => ['resume', id], from: directory, leaves: 'running' },
  update: {
    prepare: running,
    args: (id) => ['update', '--pids-limit', '50', '--memory', '67108864', id],
    from: directory,
    leaves: 'running',
  },
} as const satisfies Record<string, Scenario>

export const scenarios = {
  ...plain,
  'create with hooks': {
    ...plain.create,
    bundle: bundleWithHooks('prestart', 'createRuntime', 'createContainer', 'poststop'),
  },
  'start with hooks': { ...plain.start, bundle: bundleWithHooks('startContainer', 'poststart') },
  'delete with hooks': { ...plain.delete, bundle: bundleWithHooks('poststop') },
  'create with idmaps and devices': {
    ...plain.create,
    bundle: mappedBundle,
    prepare: makeDevice,
    host: makeDevice,
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios
