import { encode, structOf } from '@crio-lxc/core/abi/bytes'
import { journalEntry, syslogLine } from '@crio-lxc/core/host/log/socket-sink'
import { expect, test } from 'vitest'

test('journalEntry() gives a value of several lines its length in 64 bits', () => {
  const message = `${'ä'.repeat(100)}\nsecond`
  const bytes = structOf(encode(journalEntry('error', message, { name: 'n' })))
  expect(Buffer.from(bytes.subarray(0, 8)).toString()).toBe('MESSAGE\n')
  expect(bytes.u64(8)).toBe(207n)
  expect(Buffer.from(bytes.subarray(16)).toString()).toBe(`${message}\nPRIORITY=3\nSYSLOG_IDENTIFIER=n\n`)
})

test('syslogLine() is one line', () => {
  expect(syslogLine('warn', 'a\nb', { name: 'n', cid: 'web' })).toMatch(/^<12>n\[\d+\]: web: a b$/)
})
