import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { capabilityMask, parseProbe } from '../../support/probe.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('a capability that the runtime itself lacks', () => {
  // runc fails; config.md: "Runtimes SHOULD NOT fail".
  const through = ['setpriv', '--bounding-set=-sys_time', '--']
  const sets = ['CAP_KILL', 'CAP_SYS_TIME']
  const process = { capabilities: { bounding: sets, permitted: sets, effective: sets, inheritable: sets } }
  const log = () => join(t.hostDirectory(), 'log')

  it('is left out of the sets of create, with a warning that names it', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process })
    const path = log()
    const { stdout } = await t.ok(['--log', path, 'run', '--bundle', bundle.path, t.id()], { through })
    const mask = capabilityMask('KILL')
    expect(parseProbe(stdout).capabilities).toMatchObject({ bounding: mask, permitted: mask, inheritable: mask })
    expect(t.read(path)).toMatch(/level=warning msg=".*CAP_SYS_TIME \(the runtime lacks it\)/)
    const granted = parseProbe((await t.run(bundle)).stdout).capabilities
    expect(granted.bounding).toBe(capabilityMask('KILL', 'SYS_TIME'))
  })

  it('is left out of the sets of exec, and so is an unknown one of --process', async () => {
    const { id } = await t.running({ process })
    const path = log()
    const capabilities = { bounding: [...sets, 'CAP_NOSUCH'], permitted: sets, effective: sets }
    const file = t.processFile({ user: { uid: 0, gid: 0 }, args: ['/probe'], env: [], cwd: '/', capabilities })
    const { stdout } = await t.ok(['--log', path, 'exec', '--process', file, id], { through })
    expect(parseProbe(stdout).capabilities).toMatchObject({ bounding: capabilityMask('KILL') })
    expect(t.read(path)).toMatch(/level=warning msg=".*CAP_SYS_TIME .*CAP_NOSUCH \(no such capability\)/)
  })
})

describe('feature gates', () => {
  it('--capabilities=false leaves the capabilities of the caller, the default applies the spec', async () => {
    const bundle = await t.bundle({ args: ['/probe'] })
    const on = parseProbe((await t.ok(['run', '--bundle', bundle.path, t.id()])).stdout)
    const off = parseProbe((await t.ok(['--capabilities=false', 'run', '--bundle', bundle.path, t.id()])).stdout)
    expect(BigInt(`0x${off.capabilities.bounding}`)).toBeGreaterThan(BigInt(`0x${on.capabilities.bounding}`))
  })
})
