import { expect, test } from 'vitest'
import { parseGoDuration } from '../../../../packages/runtime-cli/src/command-line/go-duration.ts'

test.each([
  ['0', 0],
  ['0s', 0],
  ['60s', 60_000],
  ['1m30s', 90_000],
  ['1h2m3.5s', 3_723_500],
  ['.5s', 500],
  ['1.s', 1000],
  ['250ms', 250],
  ['1500us', 1.5],
  ['1500µs', 1.5],
  ['1500μs', 1.5],
  ['2000000ns', 2],
])('parseGoDuration(%j) is %d ms', (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9)
})

test.each(['', '5', 's', '1x', '-1s', '+1s', '1s ', ' 1s', '1m30', '1 s', 'Infinity', '.s'])(
  'parseGoDuration(%j) is refused',
  (text) => {
    expect(() => parseGoDuration(text)).toThrow(`invalid duration ${JSON.stringify(text)}`)
  },
)
