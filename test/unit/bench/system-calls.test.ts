import { expect, test } from 'vitest'
import { summarize } from '../../bench/system-calls.ts'

test('summarize() counts a call once, also one that strace shows in two lines, and adds up the first process alone', () => {
  const lines = [
    '10 openat(AT_FDCWD, "/a(b", O_RDONLY) = 3 <0.000500>',
    '10 clone(child_stack=NULL, flags=SIGCHLD) = 11 <0.001000>',
    '10 read(3,  <unfinished ...>',
    '11 mount("a", "b") = 0 <0.020000>',
    '10 <... read resumed>"x", 1) = 1 <0.030000>',
    '10 read(3, "", 1) = 0 <0.001000>',
    '10 --- SIGCHLD {si_signo=SIGCHLD} ---',
    '11 +++ exited with 0 +++',
    '10 exit_group(0) = ?',
  ]
  const { processes, calls, waits, ms } = summarize(lines.join('\n'))
  expect({ processes, calls }).toEqual({ processes: 2, calls: 6 })
  expect(waits).toEqual([
    { name: 'read', calls: 2, ms: expect.closeTo(31) },
    { name: 'clone', calls: 1, ms: expect.closeTo(1) },
    { name: 'openat', calls: 1, ms: expect.closeTo(0.5) },
  ])
  expect(ms).toBeCloseTo(32.5)
})
