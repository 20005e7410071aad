import { readyMessage } from '@crio-lxc/core/oci/notify-message'
import { describe, expect, test } from 'vitest'

describe('readyMessage()', () => {
  test.each<[string, number | undefined, string | undefined]>([
    ['READY=1', undefined, 'READY=1'],
    ['READY=1\n', 7, 'READY=1\nMAINPID=7'],
    ['MAINPID=1\nREADY=1\nERRNO=2', 7, 'READY=1\nMAINPID=7'],
    ['READY=1\nSTATUS=one\nSTATUS=two', 7, 'STATUS=two\nREADY=1\nMAINPID=7'],
    ['READY=1\nSTATUS=a\0b', undefined, 'READY=1'],
    ['READY=1\nSTATUS=a\rb', undefined, 'READY=1'],
    ['READY=1\nSTATUS=a\u202eb', undefined, 'READY=1'],
    ['READY=1\nSTATUS=a\u2028b', undefined, 'READY=1'],
    ['READY=1 ', 7, undefined],
    ['READY=10', 7, undefined],
    [' READY=1', 7, undefined],
    ['STATUS=READY=1', 7, undefined],
    ['', 7, undefined],
  ])('of %j for pid %s is %j', (datagram, pid, message) => {
    expect(readyMessage(Buffer.from(datagram), pid)).toBe(message)
  })

  test('takes no more than the service manager does', () => {
    const padded = (length: number) => Buffer.from('READY=1\n'.padEnd(length, 'x'))
    expect(readyMessage(padded(4096), undefined)).toBe('READY=1')
    expect(readyMessage(padded(4097), undefined)).toBeUndefined()
  })

  test('leaves out a status that would make it longer than that', () => {
    const padded = (length: number) => Buffer.from('READY=1\nSTATUS='.padEnd(length, 'x'))
    expect(readyMessage(padded(4096), undefined)).toHaveLength(4096)
    expect(readyMessage(padded(4096), 12345)).toBe('READY=1\nMAINPID=12345')
    const noText = Buffer.concat([padded(1000), Buffer.alloc(2000, 0xff)])
    expect(readyMessage(noText, undefined)).toBe('READY=1')
  })
})
