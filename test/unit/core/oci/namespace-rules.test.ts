import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { checkNamespaceRules, listedNamespaces } from '@crio-lxc/core/oci/namespace-rules'
import { describe, expect, test } from 'vitest'
import { type Changes, specWith, thrownBy } from './spec-with.ts'

const all: NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']
const nothing = { hostname: undefined, 'linux.maskedPaths': undefined, 'linux.readonlyPaths': undefined }

const fields: readonly (readonly [field: string, NamespaceType, Changes])[] = [
  ['hostname', 'uts', { hostname: 'web' }],
  ['domainname', 'uts', { domainname: 'example.org' }],
  ['linux.sysctl["kernel.domainname"]', 'uts', { 'linux.sysctl': { 'kernel.domainname': 'x' } }],
  ['linux.sysctl["kernel.sem"]', 'ipc', { 'linux.sysctl': { 'kernel.sem': '1' } }],
  ['linux.sysctl["fs.mqueue.msg_max"]', 'ipc', { 'linux.sysctl': { 'fs.mqueue.msg_max': '1' } }],
  ['linux.sysctl["net/ipv4/ip_forward"]', 'network', { 'linux.sysctl': { 'net/ipv4/ip_forward': '1' } }],
  ['linux.sysctl["user.max_user_namespaces"]', 'user', { 'linux.sysctl': { 'user.max_user_namespaces': '1' } }],
  ['linux.maskedPaths', 'mount', { 'linux.maskedPaths': ['/x'] }],
  ['linux.readonlyPaths', 'mount', { 'linux.readonlyPaths': ['/x'] }],
  ['linux.namespaces', 'mount', {}],
]

describe('checkNamespaceRules()', () => {
  test.each(fields)('%s needs a %s namespace of the container', (field, type, changes) => {
    const spec = specWith({ ...nothing, ...changes })
    expect(() => checkNamespaceRules(spec, new Set(['mount', type]))).not.toThrow()
    const others = new Set(all.filter((other) => other !== type))
    const at = spec.linux.namespaces.findIndex((namespace: { type: string }) => namespace.type === type)
    if (at >= 0) spec.linux.namespaces[at].path = '/proc/1/ns/x'
    const need =
      at < 0
        ? `needs a ${type} namespace in linux.namespaces`
        : `needs a ${type} namespace of the container's, and linux.namespaces[${at}].path /proc/1/ns/x is the host's`
    expect(thrownBy(() => checkNamespaceRules(spec, others))).toMatchObject({
      name: 'SpecError',
      message: `${field}: ${need}: without it the host's would change`,
    })
  })

  test("refuses a sysctl that is always the host's, whatever the container has", () => {
    const spec = specWith({ 'linux.sysctl': { 'kernel.core_pattern': '|/x' } })
    expect(thrownBy(() => checkNamespaceRules(spec, new Set(all)))).toMatchObject({
      message: 'linux.sysctl["kernel.core_pattern"]: is not a parameter of a namespace: it would change the host',
    })
  })

  test('asks nothing but a mount namespace of a spec that sets nothing', () => {
    expect(() => checkNamespaceRules(specWith(nothing), new Set(['mount']))).not.toThrow()
  })
})

test('listedNamespaces() has the types with and without a path', () => {
  const namespaces = [{ type: 'pid' }, { type: 'uts', path: '/proc/1/ns/uts' }]
  expect([...listedNamespaces(specWith({ 'linux.namespaces': namespaces }))]).toEqual(['pid', 'uts'])
})
