import { structOf } from '@crio-lxc/core/abi/bytes'
import { enosysStub } from '@crio-lxc/core/seccomp/enosys-stub'
import { describe, expect, test } from 'vitest'

const X86_64 = 0xc000003e
const I386 = 0x40000003
const X32 = 0x4000003e
const AARCH64 = 0xc00000b7
const X32_BIT = 0x40000000
const ENOSYS = 0x00050026

/** What the classic BPF program returns for a system call; 'filter' when it leaves that to what is behind it. */
function run(bytes: Uint8Array, arch: number, number: number): number | 'filter' {
  const program = structOf(bytes)
  let loaded = 0
  let at = 0
  while (at < program.length) {
    const code = program.u16(at)
    const [jumpTrue = 0, jumpFalse = 0] = program.subarray(at + 2, at + 4)
    const k = program.u32(at + 4)
    const jump = (taken: boolean): number => 8 * (taken ? jumpTrue : jumpFalse)
    if (code === 0x20) loaded = k === 4 ? arch : number
    else if (code === 0x05) at += 8 * k
    else if (code === 0x15) at += jump(loaded === k)
    else if (code === 0x25) at += jump(loaded > k)
    else if (code === 0x45) at += jump((loaded & k) !== 0)
    else if (code === 0x06) return k
    else throw new Error(`unknown instruction ${code}`)
    at += 8
  }
  expect(at).toBe(program.length)
  return 'filter'
}

describe('enosysStub()', () => {
  const stub = enosysStub([
    { arch: X86_64, number: 437 },
    { arch: I386, number: 400 },
    { arch: X32, number: X32_BIT + 300 },
  ])

  test.each<[string, number, number, number | 'filter']>([
    ['the last of x86-64', X86_64, 437, 'filter'],
    ['a newer one', X86_64, 438, ENOSYS],
    ['the last of i386', I386, 400, 'filter'],
    ['a newer one of i386', I386, 401, ENOSYS],
    ['the last of x32', X86_64, X32_BIT + 300, 'filter'],
    ['a newer one of x32', X86_64, X32_BIT + 301, ENOSYS],
    ['one of an architecture that the filter does not have', AARCH64, 9999, 'filter'],
    ['-1, which a tracer leaves when it refuses a call', I386, 0xffffffff, ENOSYS],
  ])('%s', (_name, arch, number, expected) => {
    expect(run(stub, arch, number)).toBe(expected)
  })

  test('without x32 in the filter its calls are the business of the filter', () => {
    const alone = enosysStub([{ arch: X86_64, number: 437 }])
    expect(run(alone, X86_64, X32_BIT + 1)).toBe('filter')
    expect(run(alone, X86_64, 438)).toBe(ENOSYS)
    expect(run(alone, X86_64, 2 * X32_BIT)).toBe(ENOSYS)
    expect(run(alone, X86_64, 437)).toBe('filter')
  })

  test('without a known system call there is none', () => {
    expect(enosysStub([])).toHaveLength(0)
    expect(enosysStub([{ arch: X32, number: X32_BIT }])).toHaveLength(0)
  })
})
