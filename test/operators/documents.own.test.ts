/** The documents as a newcomer follows them: from the package on a bare Debian to a container of podman's and what may be wrong with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callsOf, executed, isShown, mayFail, type Outcome, outcomesOf, scriptOf } from '../support/console.ts'
import { textOf } from '../support/documents.ts'
import { Machine } from '../support/machine.ts'
import { pack } from './support/packages.ts'

const calls = executed.flatMap((name) => callsOf(textOf(name)))
const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-newcomer-'))
const deb = pack(directory)
const script = join(directory, 'script')
writeFileSync(script, scriptOf(calls))
// podman 4 asks for 1048576 open files, which takes CAP_SYS_RESOURCE.
const limits = join(directory, 'limits.conf')
writeFileSync(limits, '[containers]\ndefault_ulimits = ["nofile=2048:2048", "nproc=2048:2048"]\n')
afterAll(() => rmSync(directory, { recursive: true }))

describe.each([
  ['12', 'bookworm'],
  ['13', 'trixie'],
])('on Debian %s', (_, release) => {
  let machine: Machine
  let outcomes: Outcome[] = []
  beforeAll(async () => {
    machine = await Machine.make(release, { files: [deb, script, limits] })
    await machine.output(`apt-get update
mkdir -p /etc/containers/containers.conf.d
cp /srv/limits.conf /etc/containers/containers.conf.d`)
    outcomes = outcomesOf(await machine.output('cd /srv; PODMAN_IGNORE_CGROUPSV1_WARNING=1 bash script'))
  }, 900_000)
  afterAll(() => machine?.end())

  test('there is an outcome of every call', () => {
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
})
