import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { shareWithHost } from '../../support/spec.ts'

requires('root')
const t = useContainers()

describe('linux.sysctl', () => {
  it("sets net.* in the container's own network namespace only", async () => {
    const before = t.read('/proc/sys/net/ipv4/ip_unprivileged_port_start')
    const result = await t.run({
      args: ['cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'],
      spec: (spec) => {
        spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '123' }
      },
    })
    expect(result.stdout).toBe('123\n')
    expect(t.read('/proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe(before)
    expect(before).not.toBe('123\n')
  })

  it("sets kernel.shm* in the container's own ipc namespace only", async () => {
    const before = t.read('/proc/sys/kernel/shmmni')
    const result = await t.run({
      args: ['cat', '/proc/sys/kernel/shmmni'],
      spec: (spec) => {
        spec.linux.sysctl = { 'kernel.shmmni': '77' }
      },
    })
    expect(result.stdout).toBe('77\n')
    expect(t.read('/proc/sys/kernel/shmmni')).toBe(before)
  })

  it.each([
    ['kernel.core_pattern', '/proc/sys/kernel/core_pattern'],
    ['kernel.pid_max', '/proc/sys/kernel/pid_max'],
    ['vm.swappiness', '/proc/sys/vm/swappiness'],
  ])("refuses %s, which is the whole host's, by name", async (key, path) => {
    const before = t.read(path)
    const result = await t.run({
      spec: (spec) => {
        spec.linux.sysctl = { [key]: '1' }
      },
    })
    expect(result.exitCode).toBe(1)
    expect(result.stderr).toContain(key)
    expect(t.read(path)).toBe(before)
    t.expectNothingLeft()
  })

  it('refuses net.* without a network namespace', async () => {
    const before = t.read('/proc/sys/net/ipv4/ip_unprivileged_port_start')
    const result = await t.run({
      spec: (spec) => {
        shareWithHost(spec, 'network')
        spec.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '321' }
      },
    })
    expect(result.exitCode).toBe(1)
    expect(t.read('/proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe(before)
  })
})

describe('linux.resources.pids', () => {
  it('limits the processes of the container', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1000 & done'],
      spec: (spec) => {
        spec.linux.resources.pids = { limit: 8 }
      },
    })
    expect(result.stderr).toMatch(/can't fork/)
  })
})

describe('linux.seccomp', () => {
  it('returns the errno of a rule for one system call and allows the others', async () => {
    const result = await t.run({
      args: ['sh', '-c', 'mkdir /dev/made; echo still here'],
      spec: (spec) => {
        spec.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
          syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
        }
      },
    })
    expect(result.stderr).toMatch(/No space left on device/)
    expect(result.stdout).toBe('still here\n')
  })
})
