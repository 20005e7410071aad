import { checkProcessSupport, checkResourcesSupport, checkSupport } from '@crio-lxc/core/oci/check-support'
import { parseSpec } from '@crio-lxc/core/oci/parse-spec'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith, thrownBy } from './spec-with.ts'

const check = (changes: Changes) => checkSupport(parseSpec(JSON.stringify(specWith(changes))), () => false)
const idMapping = { containerID: 0, hostID: 0, size: 1 }

/** What asks for something that is not done, the field that the error names, and why. */
const refused: [Changes, string, string][] = [
  [
    { 'linux.personality': { domain: 'LINUX', flags: ['x'] } },
    'linux.personality.flags',
    'config-linux.md defines no flags',
  ],
]

/** What asks for nothing, or is not this platform's to do. */
const accepted: [string, Changes][] = [
  ['the default spec', {}],
  ['empty hooks', { hooks: {} }],
  ['an empty list of hooks', { 'hooks.poststop': [] }],
  ['a hook', { 'hooks.createContainer': [{ path: '/x', args: ['x'], env: ['A=1'], timeout: 5 }] }],
  ['empty strings', { 'process.apparmorProfile': '', 'process.selinuxLabel': '', 'linux.mountLabel': '' }],
  ['limits of 0, which leave a value as it is', { 'linux.resources.memory': { limit: 0, swap: 0, kernel: 0 } }],
  ['false', { 'linux.resources.memory.disableOOMKiller': false }],
  ['empty objects', { 'linux.resources': { memory: {}, cpu: {}, blockIO: {}, network: {}, rdma: {}, unified: {} } }],
  ['empty arrays', { 'linux.uidMappings': [], 'linux.gidMappings': [], 'linux.resources.hugepageLimits': [] }],
  ['an object of empty values', { 'linux.intelRdt': { closID: '', enableCMT: false, schemata: [] } }],
  ['null', { 'linux.memoryPolicy': null, 'process.scheduler': null }],
  ['other platforms', { vm: { kernel: { path: '/x' } }, windows: { layerFolders: ['x'] }, zos: {}, freebsd: { a: 1 } }],
  ['Windows fields', { 'process.commandLine': 'cmd', 'process.user.username': 'me' }],
  ['unknown fields', { 'linux.resources.memory.future': 1, 'process.constructor': 1, future: { limit: 5 } }],
  [
    'limits',
    {
      'linux.resources': {
        pids: { limit: 100 },
        memory: { limit: 1, swap: 2, swappiness: 0, useHierarchy: false },
        cpu: { shares: 2, idle: 1, cpus: '0' },
        blockIO: { weight: 10, weightDevice: [{ major: 8, minor: 0, weight: 10 }] },
        hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
        network: { classID: 1, priorities: [{ name: 'a', priority: 1 }] },
        rdma: { mlx5_1: { hcaHandles: 3 } },
        unified: { 'memory.high': '1' },
      },
    },
  ],
  ['joined namespaces', { 'linux.namespaces[1].path': '/proc/1/ns/net', 'linux.namespaces[5]': { type: 'cgroup' } }],
  [
    'a time namespace with offsets',
    { 'linux.namespaces[5]': { type: 'time' }, 'linux.timeOffsets': { boottime: { secs: 1 } } },
  ],
  [
    'an idmapped mount',
    { 'mounts[1]': { destination: '/x', type: 'bind', uidMappings: [idMapping], gidMappings: [idMapping] } },
  ],
  [
    'a seccomp filter',
    {
      'linux.seccomp': {
        defaultAction: 'SCMP_ACT_ERRNO',
        architectures: ['SCMP_ARCH_X86_64'],
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ' }] }],
      },
    },
  ],
]

describe('checkSupport()', () => {
  test.each(refused)('refuses %j', (changes, path, reason) => {
    expect(thrownBy(() => check(changes))).toMatchObject({
      name: 'SpecError',
      pointer: path,
      message: `${path}: not supported (${reason}): remove it from config.json`,
    })
  })

  test.each(accepted)('accepts %s', (_name, changes) => {
    expect(() => check(changes)).not.toThrow()
  })
})

describe('a field that needs something of the host', () => {
  test.each([
    ['process.apparmorProfile', 'AppArmor'],
    ['process.selinuxLabel', 'SELinux'],
    ['linux.mountLabel', 'SELinux'],
    ['linux.intelRdt.closID', 'resctrl'],
  ])('%s is refused without %s', (field, feature) => {
    const spec = parseSpec(JSON.stringify(specWith({ [field]: 'x' })))
    expect(thrownBy(() => checkSupport(spec, (asked) => asked !== feature))).toMatchObject({
      pointer: field,
      message: `${field}: this host has no ${feature}: remove it from config.json`,
    })
    expect(() => checkSupport(spec, (asked) => asked === feature)).not.toThrow()
  })
})

test('checkProcessSupport() names the document of exec', () => {
  const { process } = specWith({ 'process.apparmorProfile': 'x' })
  expect(thrownBy(() => checkProcessSupport(process, () => false))).toMatchObject({
    message: 'process.apparmorProfile: this host has no AppArmor: remove it from process.json',
  })
})

test('checkResourcesSupport() accepts what has no effect', () => {
  expect(() => checkResourcesSupport({ memory: { kernel: 1024 }, pids: { limit: 5 } }, () => false)).not.toThrow()
})
