import { resolveCgroupsPath } from '@crio-lxc/core/host/cgroup/cgroups-path'
import { describe, expect, test } from 'vitest'

const resolve = (cgroupsPath: string | undefined, id = 'c1') => resolveCgroupsPath(cgroupsPath, { id, systemd: true })

describe('resolveCgroupsPath() for systemd', () => {
  test.each([
    ['system.slice:cri:abc', 'cri-abc.scope', 'system.slice', '/system.slice/cri-abc.scope'],
    [
      'kubepods-burstable-pod1.slice:crio:abc',
      'crio-abc.scope',
      'kubepods-burstable-pod1.slice',
      '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/crio-abc.scope',
    ],
    [':cri:abc', 'cri-abc.scope', 'system.slice', '/system.slice/cri-abc.scope'],
    ['a.slice::abc', 'abc.scope', 'a.slice', '/a.slice/abc.scope'],
    ['-.slice:cri:abc', 'cri-abc.scope', '-.slice', '/cri-abc.scope'],
    ['a.slice::_x', '_x.scope', 'a.slice', '/a.slice/__x.scope'],
    ['a.slice::memory', 'memory.scope', 'a.slice', '/a.slice/_memory.scope'],
    [undefined, 'crio-lxc-c1.scope', 'system.slice', '/system.slice/crio-lxc-c1.scope'],
    ['', 'crio-lxc-c1.scope', 'system.slice', '/system.slice/crio-lxc-c1.scope'],
  ])('%s', (cgroupsPath, unit, slice, path) => {
    expect(resolve(cgroupsPath)).toEqual({ path, scope: { unit, slice, path } })
  })

  test('an id with a character that units lack', () => {
    expect(resolve(undefined, 'a+b').scope?.unit).toBe('crio-lxc-a\\x2bb.scope')
  })

  test.each([
    ['/a/b', 'is not slice:prefix:name'],
    ['a.slice:b', 'is not slice:prefix:name'],
    ['a.slice:b:', 'is not slice:prefix:name'],
    ['a.slice:b:c:d', 'is not slice:prefix:name'],
    ['a.slice:b:c/d', 'is not slice:prefix:name'],
    ['a:b:c', '"a" is not the name of a slice'],
    ['a--b.slice:b:c', '"a--b.slice" is not the name of a slice'],
    ['.slice:b:c', '".slice" is not the name of a slice'],
    ['a b.slice:b:c', '"a b.slice" is not the name of a slice'],
    ['a.slice:b:c.slice', 'is the name of a slice: a container is a scope'],
    ['a.slice:b:c\n', 'cannot be the name of a unit'],
    [`a.slice:b:${'c'.repeat(248)}`, 'cannot be the name of a unit'],
  ])('refuses %s', (cgroupsPath, problem) => {
    expect(() => resolve(cgroupsPath)).toThrow(problem)
    expect(() => resolve(cgroupsPath)).toThrow(/^linux\.cgroupsPath: /)
  })
})

describe('resolveCgroupsPath() without systemd', () => {
  const path = (cgroupsPath: string): string => resolveCgroupsPath(cgroupsPath, { id: 'c1', systemd: false }).path

  test.each(['system.slice:cri:abc', ':cri:abc', 'a.slice::abc', '::abc', 'a:b:c'])('refuses %s', (cgroupsPath) => {
    expect(() => path(cgroupsPath)).toThrow(
      `linux.cgroupsPath: ${JSON.stringify(cgroupsPath)} is slice:prefix:name, a scope of systemd: give --systemd-cgroup`,
    )
  })

  test.each([
    ['/a:b:c', '/a:b:c'],
    ['a/b:c:d', '/a/b:c:d'],
    ['a:b', '/a:b'],
    ['a:b:c:d', '/a:b:c:d'],
  ])('%s is a path', (cgroupsPath, expected) => {
    expect(path(cgroupsPath)).toBe(expected)
  })
})
