import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { apiExtensions } from '@crio-lxc/core/liblxc/api-extensions'
import { support } from '@crio-lxc/core/oci/support'
import { parseMountOptions } from '@crio-lxc/init/mount-options'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, runtimePath } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

interface Features {
  ociVersionMin: string
  ociVersionMax: string
  hooks: string[]
  mountOptions: string[]
  linux: {
    namespaces: string[]
    capabilities: string[]
    cgroup: Record<string, boolean>
    seccomp: {
      enabled: boolean
      actions: string[]
      operators: string[]
      archs: string[]
      knownFlags: string[]
      supportedFlags: string[]
    }
    apparmor: { enabled: boolean }
    selinux: { enabled: boolean }
    intelRdt: { enabled: boolean }
    memoryPolicy: { modes: string[]; flags: string[] }
    mountExtensions: { idmap: { enabled: boolean } }
    netDevices: { enabled: boolean }
  }
  annotations: Record<string, string>
  potentiallyUnsafeConfigAnnotations: string[]
}

const features = async (): Promise<Features> => {
  // As CRI-O does: no --root, both outputs together.
  const { exitCode, stdout, stderr } = await invoke(['features'], { env: {} })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as Features
}

// biome-ignore lint/suspicious/noExplicitAny: the paths below are the test
const anySupport = support as any

const isSupported = (row: unknown): boolean =>
  row === 'supported' ||
  (typeof row === 'object' &&
    row !== null &&
    ('needs' in row ||
      ('fields' in row && Object.values(row.fields as object).some(isSupported)) ||
      ('each' in row && Object.values(row.each as object).some(isSupported))))

describe('features', () => {
  it('has every part of runtime-spec 1.3, and nothing else', async () => {
    const found = await features()
    expect(found).toMatchObject({ ociVersionMin: '1.0.0', ociVersionMax: '1.3.0' })
    expect(Object.keys(found).sort()).toEqual(
      'annotations hooks linux mountOptions ociVersionMax ociVersionMin potentiallyUnsafeConfigAnnotations'.split(' '),
    )
    expect(Object.keys(found.linux).sort()).toEqual(
      'apparmor capabilities cgroup intelRdt memoryPolicy mountExtensions namespaces netDevices seccomp selinux'.split(
        ' ',
      ),
    )
  })

  it('says of each what the support table says', async () => {
    const { hooks, linux } = await features()
    const table = anySupport
    const { fields } = table.linux
    const values = (row: { values: Record<string, unknown> }): string[] =>
      Object.keys(row.values)
        .filter((name) => row.values[name] === 'supported')
        .sort()
    expect(hooks.sort()).toEqual(Object.keys(table.hooks.fields).sort())
    expect(linux.namespaces).toEqual(values(fields.namespaces.each.type))
    expect(linux.seccomp.actions).toEqual(values(fields.seccomp.fields.syscalls.each.action))
    expect(linux.seccomp.operators).toEqual(values(fields.seccomp.fields.syscalls.each.args.each.op))
    expect(linux.seccomp.archs).toEqual(values(fields.seccomp.fields.architectures))
    expect(linux.seccomp.knownFlags).toEqual(values(fields.seccomp.fields.flags))
    expect(linux.memoryPolicy).toEqual({
      modes: values(fields.memoryPolicy.fields.mode),
      flags: values(fields.memoryPolicy.fields.flags),
    })
    expect(linux.apparmor.enabled).toBe(isSupported(table.process.fields.apparmorProfile))
    expect(linux.selinux.enabled).toBe(isSupported(table.process.fields.selinuxLabel))
    expect(linux.intelRdt).toEqual({
      enabled: isSupported(fields.intelRdt),
      schemata: isSupported(fields.intelRdt.fields.schemata),
      monitoring: isSupported(fields.intelRdt.fields.enableMonitoring),
    })
    expect(linux.netDevices.enabled).toBe(isSupported(fields.netDevices))
    expect(linux.mountExtensions.idmap.enabled).toBe(isSupported(table.mounts.each.uidMappings))
    expect(linux.cgroup.rdma).toBe(isSupported(fields.resources.fields.rdma))
  })

  it('names mount options that are understood, none that would go to the filesystem', async () => {
    const { mountOptions } = await features()
    expect(mountOptions).toContain('rro')
    for (const option of mountOptions) expect(parseMountOptions([option]).data).toBe('')
  })

  it('names flags that the kernel has: a filter with them is loaded', async () => {
    const { supportedFlags, knownFlags } = (await features()).linux.seccomp
    expect(knownFlags).toEqual(expect.arrayContaining(supportedFlags))
    expect(supportedFlags.length).toBeGreaterThan(2)
    const result = await t.run({
      args: ['grep', 'Seccomp:', '/proc/self/status'],
      spec: (spec) => {
        spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', flags: supportedFlags, syscalls: [] }
      },
    })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'Seccomp:\t2\n' })
  })

  it('has all that runc has, but for what docs/spec-conformance.md says', async () => {
    const runc = JSON.parse(execFileSync('runc', ['features'], { encoding: 'utf8' })) as Features
    const own = await features()
    expect(own.hooks.toSorted()).toEqual(runc.hooks.toSorted())
    expect(own.linux.capabilities).toEqual(runc.linux.capabilities)
    expect(own.mountOptions).toEqual(expect.arrayContaining(runc.mountOptions))
    for (const list of ['actions', 'operators', 'archs'] as const)
      expect(own.linux.seccomp[list]).toEqual(expect.arrayContaining(runc.linux.seccomp[list]))
    const missing = runc.linux.namespaces.filter((name) => !own.linux.namespaces.includes(name))
    const table = anySupport
    expect(missing.filter((name) => isSupported(table.linux.fields.namespaces.each.type.values[name]))).toEqual([])
  })

  it('says which liblxc runs the containers, as crio-lxc-start says it', async () => {
    const { annotations } = await features()
    const start = join(dirname(runtimePath), '../libexec/crio-lxc/crio-lxc-start')
    const [version, ...extensions] = execFileSync(start, ['--version', 'pidfd', 'no-such-extension', 'cgroup2'], {
      encoding: 'utf8',
    })
      .trimEnd()
      .split('\n')
    expect(version).toBe(`liblxc ${annotations['org.linuxcontainers.crio-lxc.liblxc.version']}`)
    expect(extensions).toEqual(['pidfd', 'cgroup2'])
    const known = annotations['org.linuxcontainers.crio-lxc.liblxc.extensions']?.split(',') ?? []
    expect(known).toEqual(expect.arrayContaining(extensions))
    expect(known).toEqual(apiExtensions.filter((name) => known.includes(name)))
  })
})
