/** A freezer that never comes to an end: a process in it that cannot be stopped. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeze, thaw } from '@crio-lxc/core/host/cgroup/freezer'
import type { CgroupLayout } from '@crio-lxc/core/host/cgroup/plan/cgroup-layout'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let mountPoint = ''
beforeEach(() => {
  mountPoint = mkdtempSync(join(tmpdir(), 'freezer-'))
  mkdirSync(join(mountPoint, 'c'))
})
afterEach(() => rmSync(mountPoint, { recursive: true }))

const read = (file: string): string => readFileSync(join(mountPoint, 'c', file), 'utf8')
const write = (file: string, text: string): void => writeFileSync(join(mountPoint, 'c', file), text)

const v2 = (): CgroupLayout => ({
  mode: 'v2',
  hierarchies: [{ name: '', mountPoint, version: 2, controllers: [] }],
})
const v1 = (): CgroupLayout => ({
  mode: 'v1',
  hierarchies: [{ name: 'freezer', mountPoint, version: 1, controllers: ['freezer'] }],
})

describe('freeze that fails leaves everything running', () => {
  test('on v2', () => {
    write('cgroup.freeze', '0')
    write('cgroup.events', 'populated 1\nfrozen 0\n')
    expect(() => freeze(v2(), '/c', 30)).toThrow(`freeze ${mountPoint}/c: a process did not stop within 30 ms`)
    expect(read('cgroup.freeze')).toBe('0')
  })

  // A file that can be read only after it was written as the kernel does it is not at hand: THAWED is what it holds.
  test('on v1, when its state cannot be read', () => {
    expect(() => freeze(v1(), '/c', 30)).toThrow(`write FROZEN to ${mountPoint}/c/freezer.state: no such file`)
  })
})

test('a cgroup that is frozen is left so', () => {
  write('cgroup.freeze', '0')
  write('cgroup.events', 'populated 1\nfrozen 1\n')
  freeze(v2(), '/c', 30)
  expect(read('cgroup.freeze')).toBe('1')
  thaw(v2(), '/c')
  expect(read('cgroup.freeze')).toBe('0')
})

test('thaw of a cgroup that is gone does nothing', () => {
  expect(() => thaw(v1(), '/gone')).not.toThrow()
})
