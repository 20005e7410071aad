import { machineOf, type ProgramHeader, readProgramHeader } from '@crio-lxc/core/host/process/program-header'
import { describe, expect, test } from 'vitest'
import { elf } from '../../../../support/refused-programs.ts'

function headerOf(content: string | Buffer): ProgramHeader {
  const file = Buffer.from(content)
  return readProgramHeader((offset, length) => file.subarray(offset, offset + length))
}

/** The same program as one of 32 bits, big endian: e_phoff and the segment's words lie elsewhere. */
function narrowElf(machine: number, interpreter: string): Buffer {
  const file = Buffer.alloc(128)
  file.write('\x7fELF\x01\x02\x01', 'latin1')
  file.writeUInt16BE(machine, 18)
  file.writeUInt32BE(52, 28)
  file.writeUInt16BE(32, 42)
  file.writeUInt16BE(1, 44)
  file.writeUInt32BE(3, 52)
  file.writeUInt32BE(84, 52 + 4)
  file.writeUInt32BE(interpreter.length + 1, 52 + 16)
  file.write(interpreter, 84)
  return file
}

describe('readProgramHeader', () => {
  test.each<[string | Buffer, ProgramHeader]>([
    ['', { kind: 'empty' }],
    ['x', { kind: 'unknown' }],
    ['\0\0\0\0', { kind: 'unknown' }],
    ['#!/bin/sh', { kind: 'script', interpreter: '/bin/sh' }],
    ['#! \t/bin/sh\t-x\n', { kind: 'script', interpreter: '/bin/sh' }],
    ['#!/bin/sh\r\n', { kind: 'script', interpreter: '/bin/sh\r' }],
    ['#!/bin/sh -e\r\n', { kind: 'script', interpreter: '/bin/sh' }],
    ['#!\n/bin/sh', { kind: 'script', interpreter: '' }],
    ['\ufeff#!/bin/sh\n', { kind: 'marked-script' }],
    [`#!/${'x'.repeat(400)}\n`, { kind: 'script', interpreter: `/${'x'.repeat(253)}` }],
    [elf(), { kind: 'elf', machine: machineOf(process.arch) }],
    [elf({ interpreter: '/lib/ld' }), { kind: 'elf', machine: machineOf(process.arch), interpreter: '/lib/ld' }],
    [narrowElf(20, '/lib/ld'), { kind: 'elf', machine: 'ppc', interpreter: '/lib/ld' }],
    [narrowElf(9999, '/lib/ld'), { kind: 'elf', machine: 'machine 9999 of elf(5)', interpreter: '/lib/ld' }],
    ['\x7fELF', { kind: 'elf', machine: 'machine 0 of elf(5)' }],
  ])('%j', (content, header) => {
    expect(headerOf(content)).toEqual(header)
  })

  test('reads no more than a page of anything, whatever the header says', () => {
    const lengths: number[] = []
    const lying = Buffer.alloc(300, 0xff)
    lying.write('\x7fELF\x02\x01', 'latin1')
    for (const wide of [1, 2])
      for (const order of [1, 2]) {
        lying.set([wide, order], 4)
        readProgramHeader((offset, length) => {
          lengths.push(length)
          return lying.subarray(offset, offset + length)
        })
      }
    expect(Math.max(...lengths)).toBeLessThanOrEqual(4096)
  })
})
