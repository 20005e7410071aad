/**
 * Containers with the liblxc of each host: that of Debian 12, of 13 and of unstable, in a machine of that release. The
 * integration tests named here are those in which liblxc has a part.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Machine } from '../support/machine.ts'
import { type Ended, repository, runTests, testPackages } from './support/tests-of.ts'

const files = [
  'creation/create',
  'creation/monitor.own',
  'starting/start',
  'foreground/run',
  'foreground/person-at-a-terminal',
  'entering/exec',
  'lifecycle/kill',
  'lifecycle/pause',
  'removal/delete',
  'container/state',
  'diagnosis/check.own',
  'liblxc/liblxc.own',
  'liblxc/configs.own',
  'fields/namespaces',
  'fields/host-namespaces.own',
  'fields/time-namespaces.own',
  'fields/user-namespaces',
  'fields/user-namespaces.own',
  'fields/terminal',
  'fields/hooks',
  'fields/rootfs',
].map((name) => `integration/${name}.test.ts`)

describe.each([
  ['5.0', 'bookworm', 'liblxc1'],
  ['6.0', 'trixie', 'liblxc1t64'],
  ['7.0', 'sid', 'liblxc1t64'],
])('with liblxc %s, of Debian %s', (version, release, library) => {
  let machine: Machine
  let ended: ReadonlyMap<string, Ended>
  beforeAll(async () => {
    machine = await Machine.make(release, { packages: [...testPackages, library], directories: [repository] })
    ended = await runTests(machine, files)
  }, 1_800_000)
  afterAll(() => machine?.end())

  it('it is that version that starts containers', async () => {
    const said = await machine.output(`${repository}/dist/libexec/crio-lxc/crio-lxc-start --version`)
    expect(said).toMatch(new RegExp(`^liblxc ${version.replace('.', '\\.')}\\.`))
  })

  it.each(files)('%s', (file) => {
    const { passed, failures } = ended.get(file) ?? { passed: 0, failures: ['it was not run'] }
    expect(failures).toEqual([])
    expect(passed).toBeGreaterThan(0)
  })
})
