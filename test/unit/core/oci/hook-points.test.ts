import { hooksAfterCreate } from '@crio-lxc/core/oci/hook-points'
import { expect, test } from 'vitest'

const hook = { path: '/h' }

test.each([
  ['no hooks', undefined, undefined],
  ['empty lists', { poststop: [], poststart: [] }, undefined],
  ['hooks of create', { prestart: [hook], createRuntime: [hook], createContainer: [hook] }, undefined],
  ['the others', { prestart: [hook], poststop: [hook], poststart: [] }, { poststop: [hook] }],
])('hooksAfterCreate of %s', (_, hooks, after) => {
  expect(hooksAfterCreate(hooks)).toEqual(after)
})
