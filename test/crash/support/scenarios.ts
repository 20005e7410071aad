/** The verbs that change something, each with the state of a container that it needs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../support/bundle.ts'
import type { Containers } from '../../support/containers.ts'
import { expectOk } from './aftermath.ts'

export interface Scenario {
  /** Brings the container about. */
  readonly prepare: (t: Containers, id: string, bundle: Bundle) => Promise<void>
  readonly args: (id: string, bundle: Bundle) => string[]
  /** The first path that the verb itself touches. */
  readonly from: (t: Containers, id: string, bundle: Bundle) => string
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

export const scenarios = {
  create: {
    prepare: nothing,
    args: (id, bundle) => ['create', '--bundle', bundle.path, '--pid-file', join(bundle.path, 'pid'), id],
    from: config,
  },
  'run --detach': {
    prepare: nothing,
    args: (id, bundle) => ['run', '--detach', '--bundle', bundle.path, id],
    from: config,
  },
  start: { prepare: created, args: (id) => ['start', id], from: directory },
  'exec --detach': { prepare: running, args: (id) => ['exec', '--detach', id, 'sleep', '1000'], from: directory },
  'delete --force': { prepare: running, args: (id) => ['delete', '--force', id], from: directory },
  delete: { prepare: created, args: (id) => ['delete', id], from: directory },
  'kill KILL': { prepare: running, args: (id) => ['kill', id, 'KILL'], from: directory },
  'kill --all TERM': { prepare: running, args: (id) => ['kill', '--all', id, 'TERM'], from: directory },
  pause: { prepare: running, args: (id) => ['pause', id], from: directory },
  resume: { prepare: paused, args: (id) => ['resume', id], from: directory },
  update: {
    prepare: running,
    args: (id) => ['update', '--pids-limit', '50', '--memory', '67108864', id],
    from: directory,
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

/** A bundle whose container runs until it is killed. */
export async function crashBundle(t: Containers): Promise<Bundle> {
  const bundle = await t.bundle({ args: ['sleep', '1000'] })
  // So that whatever writes it is seen to replace it.
  writeFileSync(join(bundle.path, 'pid'), '')
  return bundle
}
