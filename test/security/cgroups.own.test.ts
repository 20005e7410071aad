/**
 * A container that may write to its cgroups does there what it can, so that nobody ends it and its id is never free again.
 * runc 1.1.5 ends none that has frozen itself on v1, and removes no cgroup whose path is too long.
 */
import { describe, expect, it } from 'vitest'
import { type Created, useContainers } from '../support/containers.ts'
import { cgroupMounts, childrenOf, isAlive } from '../support/proc.ts'
import { requires } from '../support/requires.ts'
import { type Spec, shareWithHost } from '../support/spec.ts'
import { waitFor } from '../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

const ROUNDS = Number(process.env.ROUNDS ?? 40)
/** Until the runtime gives up it takes 10 s. */
const AT_ONCE_MS = 8000
/** Of as many cgroups as a busy machine has made in the meantime. */
const REMOVAL_MS = 40_000

/** What a container sees of the host's hierarchies: on a hybrid host those of v1. */
const keys = Object.keys(cgroupMounts()).filter((key, _, all) => all.length === 1 || key !== '')
/** In the container: a hierarchy's directory, and what freezes the cgroup `inner` there. */
const freezers: [string, string][] = keys.flatMap((key): [string, string][] => {
  if (key === '') return [[inContainer(key), 'echo 1 >inner/cgroup.freeze']]
  return key === 'freezer' ? [[inContainer(key), 'echo FROZEN >inner/freezer.state']] : []
})

/** Where the container has the hierarchy of this key. */
function inContainer(key: string): string {
  return key === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${key.replace(/^name=/, '')}`
}

function writable(spec: Spec): void {
  for (const mount of spec.mounts)
    if (mount.type === 'cgroup') mount.options = (mount.options ?? []).filter((option) => option !== 'ro')
}

async function running(script: string, change: (spec: Spec) => void = () => {}): Promise<Created> {
  return t.running({
    args: ['sh', '-ec', script],
    spec: (spec) => {
      writable(spec)
      change(spec)
    },
  })
}

const endings: [string, (id: string) => Promise<unknown>][] = [
  ['kill KILL', (id) => t.ok(['kill', id, 'KILL'])],
  ['kill --all KILL', (id) => t.ok(['kill', '--all', id, 'KILL'])],
  ['delete --force', (id) => t.ok(['delete', '--force', id])],
]

/** Nothing of the container is left when it has been ended this way, and that soon. */
async function expectEnded(
  { id, pid }: Created,
  end: (id: string) => Promise<unknown>,
  withinMs = AT_ONCE_MS,
): Promise<void> {
  const pids = [pid, ...childrenOf(pid)]
  const begin = performance.now()
  await end(id)
  await waitFor(() => !pids.some(isAlive))
  await t.ok(['delete', '--force', id])
  expect(performance.now() - begin).toBeLessThan(withinMs)
  t.expectNothingLeft()
}

describe.each(freezers)('a container that freezes itself in %s', (directory, freeze) => {
  const script = `cd ${directory}; mkdir inner; sleep 1001 & echo $! >inner/cgroup.procs; echo $$ >inner/cgroup.procs; echo ready; ${freeze}; sleep 1002`

  describe.each([
    ['its own pids', () => {}],
    ["the host's pids", (spec: Spec) => shareWithHost(spec, 'pid')],
  ])('with %s', (_, change) => {
    it.each(endings)('ends with %s', async (_verb, end) => {
      const container = await running(script, change)
      await waitFor(() => container.result.output() === 'ready\n')
      await expectEnded(container, end)
    })
  })
})

describe.each(freezers)('a container whose process freezes the others in %s again and again', (directory, freeze) => {
  const loop = `until grep -q . inner/cgroup.procs; do :; done; ${freeze}; echo ready; while :; do ${freeze}; done`
  const script = `cd ${directory}; mkdir inner; (${loop}) & (${loop}) & echo $$ >inner/cgroup.procs; wait`

  it.each(endings)('ends with %s', { timeout: 60_000 + ROUNDS * 3000 }, async (_verb, end) => {
    for (let round = 0; round < Math.ceil(ROUNDS / 10); round++) {
      const container = await running(script)
      await waitFor(() => container.result.output() === 'ready\nready\n')
      await expectEnded(container, end)
    }
  })
})

describe('a container that makes cgroups until it is ended', () => {
  const names = 'n=0; while :; do n=$((n+1)); mkdir $n'
  it.each([
    ['side by side', `${names}; done`],
    ['one in the other', `${names}; cd $n; done`],
    ['of long names', `long=$(printf %0200d 0); while :; do mkdir $long; cd $long; done`],
    ['of odd names', `n=0; while :; do n=$((n+1)); mkdir "$(printf '\\377\\n ')$n"; done`],
  ])('%s, loses all of them', { timeout: 60_000 + ROUNDS * 3000 }, async (_, loop) => {
    const makers = keys.map((key) => `(cd ${inContainer(key)} && ${loop}) 2>/dev/null &`).join('\n')
    for (let round = 0; round < Math.ceil(ROUNDS / 20); round++) {
      const container = await running(`${makers}\necho ready; wait`)
      await waitFor(() => container.result.output() === 'ready\n')
      await new Promise((resolve) => setTimeout(resolve, 100))
      await expectEnded(container, (id) => t.ok(['delete', '--force', id]), REMOVAL_MS)
    }
  })

  it('deeper than the runtime may open files', async () => {
    const script = `cd ${inContainer(keys[0] ?? '')}; n=0; while [ $n -lt 300 ]; do n=$((n+1)); mkdir a; cd a; done; echo ready; sleep 1001`
    const container = await running(script)
    await waitFor(() => container.result.output() === 'ready\n')
    await t.ok(['delete', '--force', container.id], { through: ['prlimit', '--nofile=48', '--'] })
    t.expectNothingLeft()
  })
})
