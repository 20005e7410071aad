/**
 * docs/getting-started.md, run on this machine with the built tree and a podman of the tests' own. Its places (/srv, /var/log,
 * /run/crio-lxc) are directories of the test; apt is left to test/operators, which runs the whole page in bare Debians.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callsOf, isShown, mayFail, type Outcome, outcomesOf, scriptOf } from '../../support/console.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { runtimePath } from '../../support/runtime.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const calls = callsOf(readFileSync(resolve(import.meta.dirname, '../../../docs/getting-started.md'), 'utf8')).filter(
  ({ command }) => !command.startsWith('apt-get '),
)
let outcomes: Outcome[] = []
let root = ''

beforeAll(async () => {
  const places = podman.hostDirectory()
  root = join(places, 'run')
  const programs = join(places, 'bin')
  for (const directory of [root, programs, join(places, 'srv')]) mkdirSync(directory, { mode: 0o711 })
  podman.writeProgram(join(programs, 'podman'))
  const script = scriptOf(calls).replace(/\/(srv|var\/log)(?=\/)/g, join(places, 'srv'))
  const { stdout } = await execa('bash', ['-c', script], {
    env: {
      PATH: `${programs}:${dirname(runtimePath)}:${process.env.PATH}`,
      HOME: places,
      LC_ALL: 'C.UTF-8',
      CRIO_LXC_ROOT: root,
    },
    extendEnv: false,
    reject: false,
    timeout: 100_000,
  })
  outcomes = outcomesOf(stdout.replaceAll(join(places, 'srv'), '/srv'))
}, 120_000)

afterAll(async () => {
  for (const id of ['hello', 'web']) await execa(runtimePath, ['--root', root, 'delete', '--force', id])
  // podman's own parent of cgroups, which nothing removes.
  const parents = Object.values(cgroupMounts()).map((mount) => join(mount, 'libpod_parent'))
  await execa('find', [...parents, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'], { reject: false })
})

test('there is an outcome of every call', () => {
  expect(calls.length).toBeGreaterThan(35)
  expect(outcomes).toHaveLength(calls.length)
})

test.each(calls.map(({ command, printed }, index) => [index, command, printed] as const))(
  '%i: %s',
  (index, command, shown) => {
    const { status, printed } = outcomes[index] as Outcome
    if (!isShown(shown, printed)) expect(printed, command).toEqual(shown)
    if (!mayFail(calls, index)) expect(status, printed.join('\n')).toBe(0)
  },
)
