import type { NamespaceType } from '@crio-lxc/core/oci/linux'
import { checkSysctlNames, sysctlFile, sysctlNamespace } from '@crio-lxc/core/oci/sysctl-rules'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './spec-with.ts'

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

describe('sysctlNamespace()', () => {
  test.each<[string, NamespaceType | undefined]>([
    ['net.ipv4.conf.eth0/100.forwarding', 'network'],
    ['net/ipv4/conf/eth0.100/forwarding', 'network'],
    ['kernel.shm_rmid_forced', 'ipc'],
    ['kernel/sem', 'ipc'],
    ['fs.mqueue.msg_max', 'ipc'],
    ['kernel.domainname', 'uts'],
    ['user.max_user_namespaces', 'user'],
    ['kernel.core_pattern', undefined],
    ['kernel/core_pattern', undefined],
    ['kernel.hostname', undefined],
    ['kernel.sysrq', undefined],
    ['kernel.shm_rmid_forced.x', undefined],
    ['fs.file-max', undefined],
    ['vm.swappiness', undefined],
    ['network.x', undefined],
  ])('%s belongs to %s', (name, type) => {
    expect(sysctlNamespace(name)).toBe(type)
  })
})

describe('checkSysctlNames()', () => {
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
    expect(thrownBy(() => checkSysctlNames({ [name]: '1' }))).toMatchObject({
      message: `linux.sysctl[${JSON.stringify(name)}]: must be the name of a kernel parameter like net.ipv4.ip_forward`,
    })
  })
})
