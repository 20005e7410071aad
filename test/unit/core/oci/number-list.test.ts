import { x64 } from '@crio-lxc/core/abi/arch'
import { parseNumberList } from '@crio-lxc/core/oci/number-list'
import { Plan, planTag } from '@crio-lxc/core/plan/plan'
import { bitmask } from '@crio-lxc/core/plan/structs'
import { expect, test } from 'vitest'

const all = '0-8191'
const times = (count: number) => Array.from({ length: count }, () => all).join(',')

test.each([
  ['0-3,7', [0, 1, 2, 3, 7]],
  [' 5 ,5', [5, 5]],
])('parseNumberList() reads %j', (text, numbers) => {
  expect(parseNumberList(text, 'a.b')).toEqual(numbers)
})

test.each([
  ['', /must be a list/],
  ['3-0', /must be a list/],
  ['8192', /must be a list like "0-3,7" below 8192/],
  [times(9), /^a\.b: must name at most 65536 numbers: name each once$/],
  [times(1_000_000), /must name at most 65536/],
])('parseNumberList() refuses a list that is none, or too long', (text, problem) => {
  expect(() => parseNumberList(text, 'a.b')).toThrow(problem)
})

test('bitmask() takes as many numbers as a list may name', () => {
  const mask = bitmask(new Plan(planTag.exec, x64), parseNumberList(times(8), 'a.b'), all)
  expect(mask.length).toBe(1024)
})
