/**
 * The commands of the documents, in the order in which somebody reads them, with the built tree and a podman of the tests' own. Their
 * places (/srv, /var/log) are a directory of the test; apt is left to test/operators, which runs the same in bare Debians.
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callsOf, executed, isShown, mayFail, type Outcome, outcomesOf, scriptOf } from '../../support/console.ts'
import { textOf } from '../../support/documents.ts'
import { cgroupMounts } from '../../support/proc.ts'
import { runtimePath } from '../../support/runtime.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const pages = executed.map((name) => ({
  name,
  calls: callsOf(textOf(name)).filter(({ command }) => !command.startsWith('apt-get ')),
}))
const calls = pages.flatMap((page) => page.calls)
let outcomes: Outcome[] = []
/** Other tests have their containers in the default one. */
let root = ''

beforeAll(async () => {
  const places = podman.hostDirectory()
  const programs = join(places, 'bin')
  root = join(places, 'run')
  for (const directory of [root, programs, join(places, 'srv')]) mkdirSync(directory, { mode: 0o711 })
  podman.writeProgram(join(programs, 'podman'), ['--runtime-flag', `root=${root}`])
  const script = scriptOf(calls).replace(/\/(srv|var\/log)(?=\/)/g, join(places, 'srv'))
  const { stdout } = await execa('bash', ['-c', script], {
    env: {
      PATH: `${programs}:${dirname(runtimePath)}:${process.env.PATH}`,
      HOME: places,
      LC_ALL: 'C.UTF-8',
      CRIO_LXC_ROOT: root,
      PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
    },
    extendEnv: false,
    reject: false,
    timeout: 100_000,
  })
  outcomes = outcomesOf(stdout.replaceAll(join(places, 'srv'), '/srv'))
}, 120_000)

afterAll(async () => {
  for (const id of ['hello', 'web', 'up', 'slow']) await execa(runtimePath, ['--root', root, 'delete', '--force', id])
  // podman's own parent of cgroups, which nothing removes.
  const parents = Object.values(cgroupMounts()).map((mount) => join(mount, 'libpod_parent'))
  await execa('find', [...parents, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'], { reject: false })
})

test('there is an outcome of every call', () => {
  expect(calls.length).toBeGreaterThan(90)
  expect(outcomes).toHaveLength(calls.length)
})

describe.each(pages)('$name', (page) => {
  const before = pages.slice(0, pages.indexOf(page)).flatMap((earlier) => earlier.calls).length
  test.each(page.calls.map(({ command, printed }, index) => [index, command, printed] as const))(
    '%i: %s',
    (index, command, shown) => {
      const { status, printed } = outcomes[before + index] as Outcome
      if (!isShown(shown, printed)) expect(printed, command).toEqual(shown)
      if (!mayFail(page.calls, index)) expect(status, printed.join('\n')).toBe(0)
    },
  )
})
