import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { expectOneSentence } from '../../support/one-sentence.ts'
import { parseProbe } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

it('of a variable that is given twice the last one is passed', async () => {
  const env = ['PATH=/bin', 'A=first', 'HOME=/one', 'B=b', 'A=last', 'HOME=/two']
  expect((await t.probe({ process: { env } })).env).toEqual(['PATH=/bin', 'B=b', 'A=last', 'HOME=/two'])
  const container = await t.running({ args: ['sleep', '1000'], process: { env } })
  const { stdout } = await t.ok(['exec', '--env', 'B=later', container.id, '/probe'])
  expect(parseProbe(stdout).env).toEqual(['PATH=/bin', 'A=last', 'HOME=/two', 'B=later'])
})

it("domainname is set in the container's own uts namespace only", async () => {
  const before = t.read('/proc/sys/kernel/domainname')
  const report = await t.probe({ spec: (spec) => Object.assign(spec, { domainname: 'inside.example.org' }) })
  expect(report.domainname).toBe('inside.example.org')
  expect(t.read('/proc/sys/kernel/domainname')).toBe(before)
})

it('an rlimit that the kernel does not grant is an error with its name', async () => {
  const result = await t.run(
    { process: { rlimits: [{ type: 'RLIMIT_NICE', soft: 40, hard: 40 }] } },
    { through: ['setpriv', '--bounding-set', '-sys_resource', '--inh-caps', '-sys_resource', '--'] },
  )
  expect(result.exitCode).toBe(1)
  expect(result.stderr).toMatch(/set RLIMIT_NICE of process\.rlimits: .*operation not permitted/i)
  t.expectNothingLeft()
})

it('a limit of open files that nobody may set is refused, with what to do', async () => {
  const nrOpen = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'))
  const rlimits = [{ type: 'RLIMIT_NOFILE', soft: nrOpen + 1, hard: nrOpen + 1 }]
  const bundle = await t.bundle({ process: { rlimits } })
  const result = await t.runtime(['run', '--bundle', bundle.path, t.id()])
  expectOneSentence(
    result,
    /RLIMIT_NOFILE of process\.rlimits: .*: operation not permitted: lower it, or give .*; no limit of files exceeds/,
  )
})
