import { expect, test } from 'vitest'
import { intelRdtOfFlags, resourcesOfFlags } from '../../../../packages/runtime-cli/src/lifecycle/update-flags.ts'

const none = { memory: {}, cpu: {}, pids: {}, blockIO: {} }

test.each([
  ['67108864', 67108864],
  ['64M', 64 << 20],
  ['64mb', 64 << 20],
  ['64MiB', 64 << 20],
  ['64 m', 64 << 20],
  ['1.5g', 1.5 * 2 ** 30],
  ['3k', 3072],
  ['5b', 5],
  ['1p', 2 ** 50],
  ['8191p', 8191n * 2n ** 50n],
  ['9223372036854775807', 2n ** 63n - 1n],
  ['-1', -1],
])('--memory %s is %s bytes', (text, limit) => {
  expect(resourcesOfFlags({ memory: text })).toEqual({ ...none, memory: { limit } })
})

test('every flag has its field', () => {
  const flags = {
    'blkio-weight': '10',
    'cpu-period': '1',
    'cpu-quota': '-1',
    'cpu-burst': '0',
    'cpu-share': '4',
    'cpu-rt-period': '5',
    'cpu-rt-runtime': '6',
    'cpu-idle': '1',
    'cpuset-cpus': '0-1',
    'cpuset-mems': '0',
    memory: '1k',
    'memory-reservation': '2k',
    'memory-swap': '-1',
    'kernel-memory-tcp': '3k',
    'pids-limit': '-1',
  }
  expect(resourcesOfFlags(flags)).toEqual({
    memory: { limit: 1024, reservation: 2048, swap: -1, kernelTCP: 3072 },
    cpu: {
      shares: 4,
      quota: -1,
      period: 1,
      burst: 0,
      realtimeRuntime: 6,
      realtimePeriod: 5,
      idle: 1,
      cpus: '0-1',
      mems: '0',
    },
    pids: { limit: -1 },
    blockIO: { weight: 10 },
  })
})

test('the schemata have an object of their own', () => {
  expect(intelRdtOfFlags({ 'l3-cache-schema': 'L3:0=f' })).toEqual({ l3CacheSchema: 'L3:0=f' })
  expect(intelRdtOfFlags({ 'mem-bw-schema': 'MB:0=20', memory: '1' })).toEqual({ memBwSchema: 'MB:0=20' })
  expect(intelRdtOfFlags({ 'mem-bw-schema': '', 'l3-cache-schema': undefined })).toBeUndefined()
})

test('what is not given, or empty, is not there', () => {
  expect(resourcesOfFlags({ memory: '', 'cpu-share': undefined })).toEqual(none)
})

test.each([
  [{ memory: 'x' }, 'invalid --memory "x": want bytes such as 67108864, 64M or -1'],
  [{ memory: '-2' }, 'invalid --memory "-2": want bytes such as 67108864, 64M or -1'],
  // The kernel would take what is left of them after 64 bits.
  [{ memory: '8192p' }, 'invalid --memory "8192p": want less than 8 EiB'],
  [{ memory: '99999999999999999999' }, 'invalid --memory "99999999999999999999": want less than 8 EiB'],
  [{ 'memory-swap': '9000.5p' }, 'invalid --memory-swap "9000.5p": want less than 8 EiB'],
  [{ 'pids-limit': '9223372036854775808' }, 'invalid --pids-limit "9223372036854775808": want an integer'],
  [{ 'cpu-quota': '-9223372036854775809' }, 'invalid --cpu-quota "-9223372036854775809": want an integer'],
  [{ 'pids-limit': '1k' }, 'invalid --pids-limit "1k": want an integer'],
  [{ 'cpu-period': '-1' }, 'invalid --cpu-period "-1": want a number that is not negative'],
])('%j is refused', (flags, message) => {
  expect(() => resourcesOfFlags(flags)).toThrow(message)
})
