import { formatGoTime } from '@crio-lxc/core/host/log/go-time'
import { expect, test } from 'vitest'

const time = new Date('2026-03-07T15:04:09.080Z')

// Expected values are those of Go's time.Format in UTC.
test.each([
  ['20060102150405.000', '20260307150409.080'],
  ['2006-01-02T15:04:05.999999999Z07:00', '2026-03-07T15:04:09.08Z'],
  ['2006-01-02T15:04:05-07:00', '2026-03-07T15:04:09+00:00'],
  ['Mon Jan _2 15:04:05 2006', 'Sat Mar  7 15:04:09 2026'],
  ['Monday, 02-Jan-06 15:04:05 MST', 'Saturday, 07-Mar-26 15:04:09 UTC'],
  ['January 2, 3:04PM', 'March 7, 3:04PM'],
  ['15:04:05.000000', '15:04:09.080000'],
  ['002', '066'],
  ['', ''],
])('formatGoTime(%j)', (layout, text) => {
  expect(formatGoTime(time, layout)).toBe(text)
})
