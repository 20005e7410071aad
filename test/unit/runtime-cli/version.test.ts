import { expect, test } from 'vitest'
import { versionText } from '../../../packages/runtime-cli/src/version.ts'

test('versionText() has the three lines of runc', () => {
  expect(versionText('abc-dirty')).toMatch(/^crio-lxc version \d+\.\d+\.\d+\ncommit: abc-dirty\nspec: 1\.3\.0\n$/)
})

test('versionText() leaves the commit out when there is none', () => {
  expect(versionText('')).toMatch(/^crio-lxc version \d+\.\d+\.\d+\nspec: 1\.3\.0\n$/)
})
