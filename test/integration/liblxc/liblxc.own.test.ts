import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { apiExtensions } from '@crio-lxc/core/liblxc/api-extensions'
import { hasApiExtension, isConfigItemSupported, liblxcExtensions, liblxcVersion } from '@crio-lxc/core/liblxc/library'
import { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
import { afterAll, describe, expect, it } from 'vitest'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import type { Spec } from '../../support/spec.ts'

// liblxc of this host in this very process: it parses, and starts nothing.
requires('root', 'own-runtime')
const t = useContainers()
afterAll(() => rmSync(`/run/lxc/lock${t.directory}`, { recursive: true, force: true }))

const namespaces = (...types: string[]): BundleOptions => ({
  spec: (spec: Spec) => {
    Reflect.deleteProperty(spec, 'hostname')
    spec.linux.namespaces = types.map((type) => {
      const [name = '', path] = type.split('=')
      return { type: name, ...(path && { path }) } as NonNullable<Spec['linux']['namespaces']>[number]
    })
  },
})

/** The config that create would write, for its own log a file of the test's. */
async function configOf(options: BundleOptions, flags: readonly string[] = []): Promise<string> {
  const bundle = await t.bundle(options)
  const { stdout } = await t.ok([...flags, 'debug', 'plan', '--json', bundle.path])
  const { lxcConfig } = JSON.parse(stdout) as { lxcConfig: string }
  const path = join(t.hostDirectory(), 'config')
  writeFileSync(path, lxcConfig.replace(/^lxc\.log\.file = .*$/m, `lxc.log.file = ${path}.log`))
  return path
}

function load(path: string): LxcContainer {
  const container = new LxcContainer(t.id(), join(t.directory, 'lxc'))
  t.defer(() => container.close())
  container.loadConfig(path)
  return container
}

const linesOf = (config: string): (readonly [key: string, value: string])[] =>
  config
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' = ') as [string, string])

describe("liblxc's own parser", () => {
  it.each<[string, BundleOptions, string[]?]>([
    ['the default spec', {}],
    ['no namespace but that of mounts', namespaces('mount')],
    ['every namespace', namespaces('pid', 'network', 'mount', 'ipc', 'uts', 'cgroup')],
    ['namespaces that are joined', namespaces('mount', 'network=/proc/self/ns/net', 'uts=/proc/self/ns/uts', 'pid')],
    [
      'a user namespace',
      {
        spec: (spec) => {
          spec.linux.namespaces?.push({ type: 'user' })
          spec.linux.uidMappings = [
            { containerID: 0, hostID: 100000, size: 65536 },
            { containerID: 70000, hostID: 300000, size: 1 },
          ]
          spec.linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 65536 }]
        },
      },
    ],
    ['another level of its log', {}, ['--container-log-level', 'trace']],
  ])('accepts the config of %s, and understands it', async (_, options, flags) => {
    const path = await configOf(options, flags)
    const container = load(path)
    const lines = linesOf(t.read(path))
    for (const [key] of lines) expect([key, isConfigItemSupported(key)]).toEqual([key, true])
    const value = (key: string): string[] => lines.filter(([name]) => name === key).map(([, text]) => text)
    expect(container.getConfigItem('lxc.rootfs.path')).toBe(value('lxc.rootfs.path')[0]?.replace(/^dir:/, ''))
    expect(container.getConfigItem('lxc.init.cmd')).toBe(value('lxc.init.cmd')[0])
    expect(container.getConfigItem('lxc.namespace.clone')?.trim().split('\n').sort()).toEqual(
      value('lxc.namespace.clone')[0]?.split(' ').sort(),
    )
    for (const [key, text] of lines)
      if (key.startsWith('lxc.namespace.share.')) expect(container.getConfigItem(key)).toBe(text)
    expect(container.getConfigItem('lxc.idmap')?.trim().split('\n') ?? []).toEqual(value('lxc.idmap'))
    expect(container.getConfigItem('lxc.pty.max')).toBe('0')
    expect(t.read(`${path}.log`)).toBe('')
  })

  it('refuses a key that it does not know', async () => {
    const path = await configOf({})
    writeFileSync(path, `${t.read(path)}lxc.no.such.key = 1\n`)
    expect(() => load(path)).toThrow(`load ${path} into liblxc: it does not accept the config`)
    expect(isConfigItemSupported('lxc.no.such.key')).toBe(false)
  })
})

describe('LxcContainer', () => {
  it('knows keys and values, and that no monitor answers', async () => {
    const container = load(await configOf({}))
    expect(container.keys()).toEqual(expect.arrayContaining(['lxc.rootfs.path', 'lxc.init.cmd', 'lxc.idmap']))
    expect(container.getConfigItem('lxc.no.such.key')).toBeUndefined()
    expect(container.isDefined()).toBe(false)
    expect(container.state()).toBe('STOPPED')
    expect(container.initPid()).toBeUndefined()
    expect(container.errorNumber).toBe(0)
  })

  it('refuses to be used when it is closed, and may be closed twice', () => {
    const container = new LxcContainer(t.id(), join(t.directory, 'lxc'))
    container.close()
    container.close()
    expect(() => container.keys()).toThrow('it has been closed')
  })
})

describe('the library', () => {
  it('is the one that crio-lxc-start is linked with', () => {
    const start = join(dirname(runtimePath), '../libexec/crio-lxc/crio-lxc-start')
    expect(execFileSync(start, ['--version'], { encoding: 'utf8' })).toBe(`liblxc ${liblxcVersion()}\n`)
  })

  it('has extensions of those that are known, and no others', () => {
    const extensions = liblxcExtensions()
    expect(extensions).toContain('pidfd')
    expect(apiExtensions).toEqual(expect.arrayContaining(extensions))
    expect(hasApiExtension('no-such-extension')).toBe(false)
  })
})
