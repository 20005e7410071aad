import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, parseProbe } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

describe('process.capabilities', () => {
  it('sets the five sets exactly for root', async () => {
    const report = await t.probe({
      process: {
        capabilities: {
          bounding: ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW', 'CAP_SYS_CHROOT'],
          permitted: ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW'],
          effective: ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW'],
          inheritable: ['CAP_KILL', 'CAP_CHOWN'],
          ambient: ['CAP_KILL'],
        },
        noNewPrivileges: true,
      },
    })
    // A root process gets its bounding and inheritable sets at execve (capabilities(7), "Capabilities and execution of programs by root").
    const bounding = capabilityMask('KILL', 'CHOWN', 'NET_RAW', 'SYS_CHROOT')
    expect(report.capabilities.bounding).toBe(bounding)
    expect(report.capabilities.inheritable).toBe(capabilityMask('KILL', 'CHOWN'))
    expect(report.capabilities.ambient).toBe(capabilityMask('KILL'))
    expect(report.capabilities.permitted).toBe(report.capabilities.effective)
  })

  it('sets the five sets exactly for another user', async () => {
    const report = await t.probe({
      process: {
        user: { uid: 1000, gid: 1000 },
        capabilities: {
          bounding: ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW', 'CAP_SYS_CHROOT'],
          permitted: ['CAP_KILL', 'CAP_CHOWN'],
          effective: ['CAP_KILL', 'CAP_CHOWN'],
          inheritable: ['CAP_KILL', 'CAP_CHOWN'],
          ambient: ['CAP_KILL'],
        },
      },
    })
    expect(report.capabilities).toEqual({
      bounding: capabilityMask('KILL', 'CHOWN', 'NET_RAW', 'SYS_CHROOT'),
      // What execve leaves to a user that is not root is what is ambient.
      permitted: capabilityMask('KILL'),
      effective: capabilityMask('KILL'),
      inheritable: capabilityMask('KILL', 'CHOWN'),
      ambient: capabilityMask('KILL'),
    })
  })

  it('leaves another user without ambient capabilities nothing', async () => {
    const sets = ['CAP_KILL', 'CAP_CHOWN']
    const report = await t.probe({
      process: {
        user: { uid: 1000, gid: 1000 },
        capabilities: { bounding: sets, permitted: sets, effective: sets },
      },
    })
    expect(report.capabilities).toEqual({
      bounding: capabilityMask(...sets),
      permitted: '0',
      effective: '0',
      inheritable: '0',
      ambient: '0',
    })
  })

  it('leaves inheritable empty for root when the spec does not list it (CVE-2022-29162)', async () => {
    const sets = ['CAP_KILL', 'CAP_CHOWN']
    const { capabilities } = await t.probe({
      process: { capabilities: { bounding: sets, permitted: sets, effective: sets } },
    })
    const mask = capabilityMask(...sets)
    expect(capabilities).toEqual({
      bounding: mask,
      permitted: mask,
      effective: mask,
      inheritable: '0',
      ambient: '0',
    })
  })

  it('drops every capability when all sets are empty', async () => {
    const { capabilities } = await t.probe({
      process: { capabilities: { bounding: [], permitted: [], effective: [], inheritable: [], ambient: [] } },
    })
    expect(Object.values(capabilities)).toEqual(['0', '0', '0', '0', '0'])
  })

  it('enforces what it dropped: chown fails without CAP_CHOWN', async () => {
    const sets = ['CAP_KILL']
    const result = await t.run({
      args: ['sh', '-c', 'touch /tmp/file && chown 1:1 /tmp/file'],
      process: { capabilities: { bounding: sets, permitted: sets, effective: sets } },
      spec: (spec) => {
        spec.root.readonly = false
      },
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toMatch(/Operation not permitted/)
  })

  it('goes without a name that no kernel has, and says so in the log', async () => {
    const sets = ['CAP_KILL', 'CAP_NOSUCH', 'kill']
    const log = join(t.hostDirectory(), 'log.json')
    const bundle = await t.bundle({
      args: ['/probe'],
      process: {
        capabilities: { bounding: sets, permitted: sets, effective: sets, inheritable: sets, ambient: sets },
      },
    })
    const flags = ['--log', log, '--log-format', 'json']
    const { stdout, stderr } = await t.ok([...flags, 'run', '--bundle', bundle.path, t.id()])
    const mask = capabilityMask('KILL')
    expect(parseProbe(stdout).capabilities).toEqual({
      bounding: mask,
      permitted: mask,
      effective: mask,
      inheritable: mask,
      ambient: mask,
    })
    const lines = t.read(log).trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warning',
      msg: expect.stringMatching(/capabilit.*CAP_NOSUCH.*\bkill\b/),
    })
    expect(stderr).toBe('')
  })

  it('without a log the warning is on stderr, and the container runs', async () => {
    const result = await t.run({ process: { capabilities: { bounding: ['CAP_NOSUCH'] } } })
    expect(result.exitCode).toBe(0)
    expect(result.stderr).toMatch(/^[^\n]*warning[^\n]*CAP_NOSUCH[^\n]*\n$/)
  })

  it.each([true, false])('noNewPrivileges %s', async (noNewPrivileges) => {
    expect((await t.probe({ process: { noNewPrivileges } })).noNewPrivs).toBe(noNewPrivileges ? 1 : 0)
  })
})
