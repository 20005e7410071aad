/** Every config that the planner can make, judged by the liblxc of this host: what it understands is what was meant. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isConfigItemSupported } from '@crio-lxc/core/liblxc/library'
import { LxcContainer } from '@crio-lxc/core/liblxc/lxc-container'
import type { IdMappings } from '@crio-lxc/core/oci/id-mappings'
import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { type LxcConfigInputs, lxcConfig, namespaceFiles } from '@crio-lxc/start-monitor/lxc-config'
import { afterAll, describe, expect, it } from 'vitest'
import { planAll } from '../../../packages/runtime-cli/src/creation/plan/plan-all.ts'
import type { BundleOptions } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'
import { mapIds } from '../../support/user-namespace.ts'
import { inputsOf } from '../../unit/runtime-cli/creation/plan/golden/golden-text.ts'
import { goldens } from '../../unit/runtime-cli/creation/plan/golden/specs.ts'

// liblxc in this very process: it parses, and starts nothing.
requires('root', 'own-runtime')
const t = useContainers()
afterAll(() => rmSync(`/run/lxc/lock${t.directory}`, { recursive: true, force: true }))

type Line = readonly [key: string, value: string]

/** Its lines; the one that names liblxc's log names a file of the test's here. */
function linesOf(config: string, log: string): Line[] {
  const lines = config.trimEnd().split('\n')
  return lines.map((line) => {
    const [key = '', value = ''] = line.split(' = ')
    return [key, key === 'lxc.log.file' ? log : value]
  })
}

/** What get_config_item says of a key with these values, where that is not the text itself. */
const understood: Readonly<Record<string, (values: readonly string[]) => string>> = {
  'lxc.log.level': ([level = '']) => level.toUpperCase(),
  'lxc.rootfs.path': ([path = '']) => path.replace(/^dir:/, ''),
  'lxc.namespace.clone': ([types = '']) => types.split(' ').sort().join('\n'),
  'lxc.namespace.keep': ([types = '']) => types.split(' ').sort().join('\n'),
}

/** lxc_config_item_is_supported(3) knows a family of keys by its beginning. */
function supportedName(key: string): string {
  return key.replace(/^(lxc\.namespace\.share\.).*/, '$1')
}

/** Fails unless liblxc accepts the config without a word, knows each of its keys, and has understood each value. */
function judge(config: string): LxcContainer {
  const directory = t.hostDirectory('config-')
  const [path, log] = [join(directory, 'config'), join(directory, 'log')]
  const lines = linesOf(config, log)
  writeFileSync(path, lines.map(([key, value]) => `${key} = ${value}\n`).join(''))
  const container = new LxcContainer(t.id(), join(t.directory, 'lxc'))
  t.defer(() => container.close())
  container.loadConfig(path)
  expect(readFileSync(log, 'utf8')).toBe('')
  for (const [key] of lines) {
    expect([key, isConfigItemSupported(supportedName(key))]).toEqual([key, true])
    const values = lines.filter(([name]) => name === key).map(([, value]) => value)
    // To liblxc an empty list of these is none, and then all are made.
    if (key === 'lxc.namespace.clone') expect(values).not.toContain('')
    const meant = understood[key]?.(values) ?? values.join('\n')
    const item = container.getConfigItem(key)?.trim() ?? ''
    expect([key, key in understood ? item.split('\n').sort().join('\n') : item]).toEqual([key, meant])
  }
  return container
}

describe('the config of', () => {
  it.each(Object.entries(goldens))('the document %s', (_, golden) => {
    judge(planAll(inputsOf(golden)).lxcConfig)
  })

  const inputs: LxcConfigInputs = {
    libexec: '/usr/libexec/crio-lxc',
    newNamespaces: ['mount'],
    joinedNamespaces: new Map(),
    idMappings: undefined,
    plan: 7,
    log: 8,
    logLevel: 'warn',
  }
  const types = Object.keys(namespaceFiles) as NamespaceType[]
  const whole = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
  const mapped: IdMappings = {
    uids: [...whole, { containerID: 70_000, hostID: 300_000, size: 1 }],
    gids: [{ containerID: 0, hostID: 4_294_967_294, size: 1 }],
  }

  it.each([
    ['', undefined],
    [' in a user namespace', mapped],
  ])('every set of namespaces, made, joined or shared with the host%s', (_, idMappings) => {
    // Of a user namespace the ids say whether there is one.
    const others = types.filter((type) => type !== 'user')
    for (const newNamespaces of subsetsOf(others)) {
      const rest = others.filter((type) => !newNamespaces.includes(type))
      for (const joined of [[], rest]) {
        const joinedNamespaces = new Map(joined.map((type, index) => [type, 20 + index] as const))
        const user = idMappings ? (['user'] as const) : []
        judge(lxcConfig({ ...inputs, newNamespaces: [...newNamespaces, ...user], joinedNamespaces, idMappings }))
      }
    }
  })

  it('a user namespace with as many mappings as the kernel takes', () => {
    const most = Array.from({ length: 340 }, (_, index) => ({ containerID: index, hostID: 100_000 + index, size: 1 }))
    judge(lxcConfig({ ...inputs, newNamespaces: ['mount', 'user'], idMappings: { uids: most, gids: most } }))
  })

  it.each(['trace', 'debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'fatal'])(
    'the log level %s',
    (logLevel) => {
      judge(lxcConfig({ ...inputs, logLevel }))
    },
  )

  it('any path of an installation', () => {
    for (const libexec of ['/a', `/${'a'.repeat(3000)}`, "/a'b", '/a"b"', '/#a', '/a=b', '/a:b,c\\040d'])
      judge(lxcConfig({ ...inputs, libexec }))
  })
})

describe('the config that debug plan prints of', () => {
  const namespaces =
    (...paths: string[]) =>
    (spec: Spec) => {
      Reflect.deleteProperty(spec, 'hostname')
      spec.linux.namespaces = paths.map((path) => {
        const [type = '', file] = path.split('=')
        return { type, ...(file && { path: file }) } as NonNullable<Spec['linux']['namespaces']>[number]
      })
    }

  it.each<[string, BundleOptions['spec'], string[]?]>([
    ['the default document', () => undefined],
    ['a document with the mount namespace alone', namespaces('mount')],
    ['every namespace', namespaces('pid', 'network', 'mount', 'ipc', 'uts', 'cgroup', 'time')],
    ['a user namespace', mapIds],
    ['another level of the log', () => undefined, ['--container-log-level', 'trace']],
  ])('%s', async (_, spec, flags = []) => {
    const bundle = await t.bundle(spec && { spec })
    const { stdout } = await t.ok([...flags, 'debug', 'plan', '--json', bundle.path])
    judge((JSON.parse(stdout) as { lxcConfig: string }).lxcConfig)
  })

  it('namespaces of another container', async () => {
    const { pid } = await t.create()
    const others = ['network=net', 'uts=uts', 'ipc=ipc', 'pid=pid'].map((each) =>
      each.replace('=', `=/proc/${pid}/ns/`),
    )
    const bundle = await t.bundle({ spec: namespaces('mount', ...others) })
    const { stdout } = await t.ok(['debug', 'plan', '--json', bundle.path])
    const container = judge((JSON.parse(stdout) as { lxcConfig: string }).lxcConfig)
    for (const name of ['net', 'uts', 'ipc', 'pid'])
      expect(container.getConfigItem(`lxc.namespace.share.${name}`)).toMatch(/^\/proc\/self\/fd\/\d+$/)
  })
})

it('a config with a key that liblxc does not know is refused', () => {
  const bad = `lxc.log.file = x\n${planAll(inputsOf(Object.values(goldens)[0] as never)).lxcConfig}lxc.no.such.key = 1\n`
  expect(() => judge(bad)).toThrow('into liblxc: it does not accept the config')
  expect(isConfigItemSupported('lxc.no.such.key')).toBe(false)
})

function subsetsOf<Item>(items: readonly Item[]): Item[][] {
  const [first, ...rest] = items
  if (first === undefined) return [[]]
  return subsetsOf(rest).flatMap((subset) => [subset, [first, ...subset]])
}
