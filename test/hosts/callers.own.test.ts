/**
 * The callers of each host: podman, containerd, conmon and Docker as Debian 12 and Debian 13 have them, each in a machine of
 * its release. What test/callers asks of those of this machine they are asked there; Docker is asked nowhere else.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Machine } from '../support/machine.ts'
import { type Ended, repository, runTests, testPackages } from './support/tests-of.ts'

const files = readdirSync(join(repository, 'test/callers'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `callers/${name}`)
  .sort()

const callers = 'catatonit conmon containerd docker.io iptables netavark podman runc'.split(' ')

const debian12 = { podman: '4.3', containerd: '1.6', conmon: '2.1.6', dockerd: '20.10' }
const debian13 = { podman: '5.4', containerd: '1.7', conmon: '2.1.12', dockerd: '26.1' }

describe.each([
  ['bookworm', ['liblxc1'], debian12],
  ['trixie', ['liblxc1t64', 'docker-cli'], debian13],
])('with the callers of Debian %s', (release, others, versions) => {
  let machine: Machine
  let ended: ReadonlyMap<string, Ended>
  beforeAll(async () => {
    const packages = [...testPackages, ...callers, ...others]
    machine = await Machine.make(release, { packages, directories: [repository] })
    ended = await runTests(machine, files)
  }, 1_800_000)
  afterAll(() => machine?.end())

  it.each(Object.entries(versions))('%s is %s', async (program, version) => {
    expect(await machine.output(`${program} --version`)).toMatch(new RegExp(` v?${version.replaceAll('.', '\\.')}\\b`))
  })

  it.each(files)('%s', (file) => {
    const { passed, failures } = ended.get(file) ?? { passed: 0, failures: ['it was not run'] }
    expect(failures).toEqual([])
    // No such machine has systemd.
    expect(passed).toBeGreaterThanOrEqual(file.includes('/systemd') ? 0 : 1)
  })
})
