import { enosysStub } from '@crio-lxc/core/seccomp/enosys-stub'
import { printSeccompProgram } from '@crio-lxc/core/seccomp/print-program'
import { expect, test } from 'vitest'

/** struct sock_filter: code, jt, jf, k. */
function program(...instructions: [code: number, onTrue: number, onFalse: number, k: number][]): Buffer {
  const bytes = Buffer.alloc(8 * instructions.length)
  for (const [index, [code, onTrue, onFalse, k]] of instructions.entries()) {
    bytes.writeUInt16LE(code, 8 * index)
    bytes.writeUInt8(onTrue, 8 * index + 2)
    bytes.writeUInt8(onFalse, 8 * index + 3)
    bytes.writeUInt32LE(k, 8 * index + 4)
  }
  return bytes
}

test.each<[[number, number, number, number], string]>([
  [[0x20, 0, 0, 0], 'a = nr'],
  [[0x20, 0, 0, 4], 'a = arch'],
  [[0x20, 0, 0, 8], 'a = data[8]'],
  [[0x20, 0, 0, 16], 'a = args[0] low'],
  [[0x20, 0, 0, 60], 'a = args[5] high'],
  [[0x54, 0, 0, 0xff], 'a &= 0xff'],
  [[0x15, 2, 0, 83], 'if a == 0x53 goto 3 else goto 1'],
  [[0x25, 0, 1, 1], 'if a > 0x1 goto 1 else goto 2'],
  [[0x35, 0, 1, 0x40000000], 'if a >= 0x40000000 goto 1 else goto 2'],
  [[0x45, 0, 1, 2], 'if a & 0x2 goto 1 else goto 2'],
  [[0x05, 0, 0, 7], 'goto 8'],
  [[0x06, 0, 0, 0x7fff0000], 'return allow'],
  [[0x06, 0, 0, 0x00050001], 'return errno 1'],
  [[0x06, 0, 0, 0x7ff00007], 'return trace 7'],
  [[0x06, 0, 0, 0x80000000], 'return kill the process'],
  [[0x06, 0, 0, 0], 'return kill the thread'],
  [[0x06, 0, 0, 0x00030000], 'return trap'],
  [[0x06, 0, 0, 0x7fc00000], 'return notify'],
  [[0x06, 0, 0, 0x7ffc0000], 'return log'],
  [[0x87, 1, 2, 3], 'code 0x87, jt 1, jf 2, k 0x3'],
])('printSeccompProgram() of %j is %s', (instruction, text) => {
  expect(printSeccompProgram(program(instruction))).toEqual([text])
})

test('printSeccompProgram() says where a jump goes by the number of the line', () => {
  const lines = printSeccompProgram(enosysStub([{ arch: 0xc00000b7, number: 435 }]))
  expect(lines).toEqual([
    'a = arch',
    'if a == 0xc00000b7 goto 2 else goto 6',
    'a = nr',
    'if a > 0x1b3 goto 4 else goto 5',
    'return errno 38',
    'goto 6',
  ])
})
