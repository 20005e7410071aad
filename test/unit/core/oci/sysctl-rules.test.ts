import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { checkSysctl, sysctlFile, sysctlNamespace } from '@crio-lxc/core/oci/sysctl-rules'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './spec-with.ts'

const all: NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']
const check = (name: string, types: NamespaceType[] = all) =>
  checkSysctl({ sysctl: { [name]: '1' }, namespaces: types.map((type) => ({ type })) })

describe('sysctlFile()', () => {
  test.each([
    ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', 'net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/100.forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
    ['net/ipv4/conf/eth0.100/forwarding', 'net/ipv4/conf/eth0.100/forwarding'],
    ['kernel.shm_rmid_forced', 'kernel/shm_rmid_forced'],
  ])('takes %s for %s', (name, file) => {
    expect(sysctlFile(name)).toBe(file)
  })
})

describe('checkSysctl()', () => {
  test.each<[string, NamespaceType]>([
    ['net.ipv4.conf.eth0/100.forwarding', 'network'],
    ['net/ipv4/conf/eth0.100/forwarding', 'network'],
    ['kernel.shm_rmid_forced', 'ipc'],
    ['kernel/sem', 'ipc'],
    ['fs.mqueue.msg_max', 'ipc'],
    ['kernel.domainname', 'uts'],
    ['user.max_user_namespaces', 'user'],
  ])('accepts %s with a %s namespace and only then', (name, type) => {
    expect(sysctlNamespace(name)).toBe(type)
    expect(() => check(name, [type])).not.toThrow()
    const others = all.filter((other) => other !== type)
    expect(thrownBy(() => check(name, others))).toMatchObject({
      name: 'SpecError',
      message: `linux.sysctl["${name}"]: needs a ${type} namespace in linux.namespaces: without it the host's would change`,
    })
  })

  test.each([
    'kernel.core_pattern',
    'kernel/core_pattern',
    'kernel.hostname',
    'kernel.sysrq',
    'kernel.shm_rmid_forced.x',
    'fs.file-max',
    'vm.swappiness',
    'network.x',
  ])("refuses the host's %s", (name) => {
    expect(thrownBy(() => check(name))).toMatchObject({
      message: `linux.sysctl["${name}"]: is not a parameter of a namespace: it would change the host`,
    })
  })

  test.each([
    'net/../kernel/core_pattern',
    'net.//.kernel.core_pattern',
    'net/./ipv4',
    '/net/x',
    'net/',
    'net//x',
    'net.',
    'net.ipv4 x',
    'net.ipv4.x+kernel.core_pattern',
    '..',
  ])('refuses %j, which is no name', (name) => {
    expect(thrownBy(() => check(name))).toMatchObject({
      message: `linux.sysctl[${JSON.stringify(name)}]: must be the name of a kernel parameter like net.ipv4.ip_forward`,
    })
  })
})
